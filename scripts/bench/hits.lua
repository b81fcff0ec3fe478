-- Cycles over the 1,000 keys that preload.py has put into the table; with PAUSE_MS, each connection then rests that long
-- on average.
dofile(debug.getinfo(1, "S").source:match("^@(.*)hits%.lua$") .. "common.lua")

local KEYS = 1000
local requests = {}
local at = 0

function init()
    for i = 0, KEYS - 1 do
        requests[i] = post(string.format("http://known-%04d.example.com/shop/item?id=%d", i, i * 7919))
    end
    -- threads start at different keys: equal keys at one moment would share their work
    at = number * 379
end

function request()
    at = (at + 1) % KEYS
    return requests[at]
end

local PAUSE_MS = tonumber(os.getenv("PAUSE_MS"))
if PAUSE_MS then
    function delay()
        return math.random(0, 2 * PAUSE_MS)
    end
end
