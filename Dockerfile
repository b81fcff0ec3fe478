# augur as a container image. Not built in this project's CI, which has no container engine.
#
#   docker build -t augur .                                  serves SQLite
#   docker build -t augur --build-arg ORACLE_CLIENT=1 .      serves SQLite and Oracle
#   docker run --stop-timeout 25 -p 8000:8000 -v augur-data:/var/lib/augur augur
#   docker run --stop-timeout 25 -p 8000:8000 -v /etc/augur:/etc/augur:ro -e AUGUR_CONFIG=/etc/augur/oracle.toml augur
#
# By itself Docker kills 10 s after it has asked to stop, which may be in the midst of it: see compose.yaml.
#
# The last form is for an Oracle database that is there: /etc/augur holds a copy of config/oracle.toml and the password file
# that it names, which user 10001 has to be able to read.
#
# The second form fetches Oracle's Instant Client from Oracle's own site, under Oracle's licence, which lies beside the
# libraries. It needs BuildKit (Docker's default), which builds only the stages that count: the first form fetches nothing.

ARG ORACLE_CLIENT=0

FROM rust:1-bookworm AS build
WORKDIR /augur
# rust-toolchain.toml stays outside: it would make rustup load a second toolchain beside the image's own.
# tests and benches are not built, but Cargo.toml names them.
COPY Cargo.toml Cargo.lock ./
COPY tests tests
COPY benches benches
COPY config config
COPY models models
COPY sql sql
COPY src src
RUN cargo build --release --locked --bin augur

# 19 is the one client for servers from 11.2 to 23ai.
FROM debian:bookworm-slim AS oracle-client
ARG INSTANT_CLIENT=19.28.0.0.0
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl unzip \
    && folder="$(echo "$INSTANT_CLIENT" | tr -d .)" \
    && arch="$(dpkg --print-architecture | sed s/amd64/x64/)" \
    && file="instantclient-basiclite-linux.$arch-${INSTANT_CLIENT}dbru.zip" \
    && curl -fsSLo /tmp/client.zip "https://download.oracle.com/otn_software/linux/instantclient/$folder/$file" \
    && unzip -q /tmp/client.zip -d /opt/oracle \
    && mv /opt/oracle/instantclient_* /opt/oracle/instantclient
# Out-of-band breaks hang in container networks that drop urgent data; the client's own crash handlers and trace files
# have no use in a container.
RUN mkdir -p /opt/oracle/instantclient/network/admin \
    && printf '%s\n' DISABLE_OOB=ON SQLNET.OUTBOUND_CONNECT_TIMEOUT=5 DIAG_ADR_ENABLED=OFF DIAG_SIGHANDLER_ENABLED=FALSE \
        > /opt/oracle/instantclient/network/admin/sqlnet.ora

FROM debian:bookworm-slim AS runtime-0

FROM debian:bookworm-slim AS runtime-1
# From Debian 13 on the package is libaio1t64, and the client needs a link libaio.so.1 to its libaio.so.1t64.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libaio1 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=oracle-client /opt/oracle/instantclient /opt/oracle/instantclient
# In the system's library path, where the client's libraries also look for each other.
RUN echo /opt/oracle/instantclient > /etc/ld.so.conf.d/oracle-instantclient.conf && ldconfig
# Messages in English, whatever the base image's locale.
ENV NLS_LANG=AMERICAN_AMERICA.AL32UTF8

FROM runtime-${ORACLE_CLIENT}
# A fixed number, so that a mounted folder can be given to it from outside. The folder is made here: a named volume
# takes its owner over.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin augur \
    && install -d -o augur -g augur /var/lib/augur
COPY --from=build /augur/target/release/augur /usr/local/bin/augur
COPY scripts/healthcheck.sh /usr/local/bin/healthcheck.sh
ENV AUGUR__STORE__SQLITE__PATH=/var/lib/augur/augur.db
USER augur
VOLUME /var/lib/augur
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["healthcheck.sh"]
ENTRYPOINT ["augur"]
CMD ["serve"]
