-- Shared by the wrk scripts: the request, and a last line that report.py reads.
-- wrk runs a script once for itself and once in every thread.

-- Made by hand: wrk.format costs more than the request itself is worth.
function post(url)
    local body = '{"url": "' .. url .. '"}'
    return "POST /url HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
        .. #body .. "\r\n\r\n" .. body
end

-- new_keys(ARGS): a function that gives a new key each time. The argument after `--` tells runs apart, the number threads, a
-- counter the rest. Knuth's multiplicative hash of it spreads the hosts over the b-tree, as those of real URLs are; keys
-- in order would share its last leaves and be cheap to store.
function new_keys(args)
    local rest = string.format(".example.com/new-%s-%d/item?id=", args[1], number)
    local count = 0
    return function()
        count = count + 1
        return string.format("http://%08x", count * 2654435761 % 4294967296) .. rest .. count
    end
end

local threads = 0

-- Gives each thread a number of its own.
function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

function done(summary, latency)
    local e = summary.errors
    -- answers with status 2xx, microseconds, p50 and p99 in microseconds, errors
    io.write(string.format("FIGURES %d %d %d %d %d\n", summary.requests - e.status, summary.duration,
        latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
