//! The application: the only place where settings, store, model, service and HTTP are put together.

mod models;

use std::any::Any;
use std::iter;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use actix_web::dev::{Server, ServerHandle};
use actix_web::rt::net::TcpStream;
use actix_web::{App, HttpServer, middleware};
use anyhow::Context as _;

use crate::auth::{AuthSettings, Keys};
use crate::http::{self, Access, Context, Docs, Images};
use crate::model::{ImageModel, Predictor, UrlModel};
use crate::service::LookupThenPredict;
use crate::settings::Settings;
use crate::store::{self, Backend, Expected, ResultStore, StoreError, Verdict};
use models::Models;
pub(crate) use models::{load_image_model, load_url_model};

/// A server that is bound and ready to run.
pub struct Application {
    server: Server,
    addresses: Vec<SocketAddr>,
    grace: Duration,
    store: Arc<dyn ResultStore>,
    models: Models,
}

/// How long the end waits for the store: a log of some ten megabytes is carried into an SQLite file, or goodbye is said to an
/// Oracle database, which may keep silent.
const END_PATIENCE: Duration = Duration::from_secs(5);

/// How long `store.require_at_start` waits for the first session: logging on takes longer than getting one.
const START_PATIENCE: Duration = Duration::from_secs(5);

impl Application {
    /// Loads the model, opens the store, and binds the sockets. Port 0 works: [`addresses`](Self::addresses) says which
    /// port it became. Blocks.
    ///
    /// # Errors
    /// One sentence that says what the operator has to change.
    pub fn build(settings: &Settings) -> anyhow::Result<Self> {
        let access = access(&settings.auth)?;
        let models = Models::load(settings)?;
        let stores = store::open::open(&settings.store)?;
        if settings.store.backend == Backend::Sqlite {
            let images = models.image.as_ref().map(|_| &stores.images);
            for store in iter::once(&stores.urls).chain(images) {
                store.apply_schema().context("cannot make the result tables in store.sqlite.path")?;
            }
        }
        let store = stores.urls;
        if settings.store.require_at_start {
            match first_contact(&*store) {
                // A supervisor would start us again and again, into a locked account.
                Ok(()) | Err(StoreError::Refused(_)) => {}
                Err(error) => {
                    return Err(error).context("store.require_at_start is true, but the store cannot be used");
                }
            }
        }
        let store_name = store.describe();
        let mut names = Predictor::version(&*models.url.get()).to_string();
        if let Some(image) = &models.image {
            names.push_str(&format!(", {}", Predictor::version(&*image.get())));
        }
        let expected = expected(settings, Some(&models.url.get()));
        let stale = settings.store.stale;
        let no_threads = "cannot start the lanes' threads";
        let url = LookupThenPredict::start(
            Arc::clone(&store),
            Arc::clone(&models.url),
            settings.lanes,
            stale,
            settings.cache,
        )
        .context(no_threads)?;
        let images = models
            .image
            .as_ref()
            .map(|live| {
                LookupThenPredict::start(stores.images, Arc::clone(live), settings.lanes, stale, settings.cache)
            })
            .transpose()
            .context(no_threads)?
            .map(|service| Images::new(service, settings.limits.max_image_bytes));
        let request_timeout = settings.server.request_timeout();
        let results = url.stored_results();
        let version = url.model();
        let docs = Docs::new(&settings.limits, images.is_some(), access.require_for_predict, version.version())?;
        let context =
            Arc::new(Context { url, images, results, access, docs, limits: settings.limits, request_timeout });
        let grace = settings.server.shutdown_grace();
        let cors_origins = settings.server.cors_origins.clone();
        let mut server = HttpServer::new(move || {
            App::new()
                .wrap(http::cors(&cors_origins))
                .wrap(middleware::from_fn(http::observe))
                .configure(http::routes(Arc::clone(&context)))
        })
        .client_request_timeout(request_timeout)
        .on_connect(move |connection, _| close_when_stalled(connection, request_timeout))
        .shutdown_timeout(grace.as_secs() + 1)
        .disable_signals();
        // One by one: several at a time count as good when one of them is.
        for address in &settings.server.listen {
            server = server.bind(address).map_err(|error| cannot_listen(address, &error))?;
        }
        let addresses = server.addrs();
        let list: Vec<String> = addresses.iter().map(|address| format!("http://{address}")).collect();
        log::info!("listening on {}; store: {store_name}; model: {names}", list.join(", "));
        if settings.store.backend == Backend::Oracle {
            let store = Arc::downgrade(&store);
            std::thread::Builder::new()
                .name("table-check".to_owned())
                .spawn(move || warn_of_lacks(&store, &expected))
                .context("cannot start a thread")?;
        }
        Ok(Self { server: server.run(), addresses, grace, store, models })
    }

    /// The addresses that are served, with real ports.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What the operator calls for after setting something right: a store that stopped logging on tries once more, and the
    /// models are read again. Does not wait for either.
    pub fn hangup(&self) -> impl Fn() + use<> {
        // The weak reference lets the store go when the server ends.
        let (store, reload_models) = (Arc::downgrade(&self.store), self.models.reload());
        move || {
            if let Some(store) = store.upgrade() {
                store.retry_logon();
            }
            reload_models();
        }
    }

    /// Serves until `stop` resolves; then accepts nothing more, answers what is in flight within the grace time, closes idle
    /// connections, and ends the store, for which it waits for 5 s at most.
    ///
    /// # Errors
    /// Where the server itself fails.
    pub async fn run_until_stopped(self, stop: impl Future<Output = ()>) -> std::io::Result<()> {
        let handle: ServerHandle = self.server.handle();
        let mut server = std::pin::pin!(self.server);
        let ended = tokio::select! {
            ended = &mut server => ended,
            () = stop => {
                log::info!("stopping: answering what is in flight");
                let drained = async { tokio::join!(handle.stop(true), &mut server).1 };
                tokio::time::timeout(self.grace, drained).await.unwrap_or_else(|_| {
                    log::warn!("stopped with requests unanswered: server.shutdown_grace_ms is over");
                    Ok(())
                })
            }
        };
        end_store(self.store).await;
        ended
    }
}

/// Ends the store on a thread of its own, which the end of the process waits for only so long: it may wait for a commit or for
/// another program, and a second signal shall be heard meanwhile.
async fn end_store(store: Arc<dyn ResultStore>) {
    let (ended, end) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name("store-end".to_owned()).spawn(move || {
        store.end();
        // Closes its connections, unless somebody is still at work with it.
        drop(store);
        let _ = ended.send(());
    });
    match thread {
        Err(error) => log::warn!("the store is not ended properly: {error}"),
        Ok(_) if tokio::time::timeout(END_PATIENCE, end).await.is_err() => {
            log::warn!("stopped without waiting for the store any longer")
        }
        Ok(_) => {}
    }
}

/// Has the system close a connection whose client takes nothing of what is sent to it for as long as a request may take.
/// Nobody else could: while its client reads nothing, the framework asks a response for nothing.
fn close_when_stalled(connection: &dyn Any, request_timeout: Duration) {
    /// Lost packets are sent again within this time.
    const SHORTEST: Duration = Duration::from_secs(1);
    let limit = request_timeout.max(SHORTEST);
    // Other systems have no such limit: there such a connection stays until its client ends it.
    #[cfg(target_os = "linux")]
    if let Some(connection) = connection.downcast_ref::<TcpStream>()
        && let Err(error) = socket2::SockRef::from(connection).set_tcp_user_timeout(Some(limit))
    {
        log::debug!("no time limit for a client that does not read: {error}");
    }
}

/// Looks at the table once, as soon as the database answers, and warns of what it lacks. No request waits for it.
fn warn_of_lacks(store: &Weak<dyn ResultStore>, expected: &Expected) {
    const PAUSE: Duration = Duration::from_secs(1);
    // The weak reference lets the store go when the server ends.
    while let Some(store) = store.upgrade() {
        match store.check_schema(expected) {
            Ok(checks) => {
                for check in checks.iter().filter(|check| check.verdict >= Verdict::Warning) {
                    log::warn!("{}: {}", check.about, check.text);
                }
                for check in checks.iter().filter(|check| check.verdict == Verdict::Skipped) {
                    log::info!("{}: {}", check.about, check.text);
                }
                log::info!("the result table has been checked");
                return;
            }
            // Nothing to say here: whoever needs the database says so.
            Err(
                StoreError::Unavailable(_)
                | StoreError::Overloaded(_)
                | StoreError::Timeout(_)
                | StoreError::Refused(_),
            ) => {}
            Err(error) => {
                log::warn!("the result table cannot be checked: {:#}", anyhow::Error::from(error));
                return;
            }
        }
        drop(store);
        std::thread::sleep(PAUSE);
    }
}

fn cannot_listen(address: &SocketAddr, error: &std::io::Error) -> anyhow::Error {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "{address} is taken by another program: stop that, or serve elsewhere, as with --set 'server.listen=[\"127.0.0.1:8001\"]'"
        ),
        _ => anyhow::anyhow!("cannot listen on {address} (server.listen): {error}"),
    }
}

/// Reaches the store for the first time; a refused password is known at once, an outage after [`START_PATIENCE`].
fn first_contact(store: &dyn ResultStore) -> Result<(), StoreError> {
    const PACE: Duration = Duration::from_millis(200);
    let started = Instant::now();
    loop {
        match store.session(PACE).and_then(|mut session| session.ping()) {
            Err(StoreError::Unavailable(_)) if started.elapsed() < START_PATIENCE => {}
            end => return end,
        }
    }
}

/// Who may do what: with a file of keys, their holders.
fn access(settings: &AuthSettings) -> anyhow::Result<Access> {
    let path = &settings.keys_file;
    let keys = (!path.as_os_str().is_empty()).then(|| Keys::watch(path)).transpose()?;
    Ok(Access { keys, require_for_predict: settings.require_for_predict })
}

/// What the table is to hold under these settings and with this model.
pub(crate) fn expected(settings: &Settings, model: Option<&UrlModel>) -> Expected {
    let model = model.map(|model| Predictor::version(model).to_string());
    Expected { max_key_bytes: settings.limits.max_url_bytes, model }
}

/// What the image table is to hold, where pictures are served.
pub(crate) fn expected_images(settings: &Settings, model: Option<&ImageModel>) -> Option<Expected> {
    let model = model.map(|model| Predictor::version(model).to_string());
    settings.models.image.enabled.then(|| Expected::of_images(model))
}
