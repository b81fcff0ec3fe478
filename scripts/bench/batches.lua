-- Batches of 500 of the 1,000 keys that preload.py has put into the table.
dofile(debug.getinfo(1, "S").source:match("^@(.*)batches%.lua$") .. "common.lua")

local KEYS = 1000
local ENTRIES = 500
local requests = {}
local at = 0

function init()
    for first = 0, KEYS - 1, 50 do
        local urls = {}
        for i = first, first + ENTRIES - 1 do
            urls[#urls + 1] = string.format('"http://known-%04d.example.com/shop/item?id=%d"', i % KEYS, i % KEYS * 7919)
        end
        local body = '{"urls": [' .. table.concat(urls, ",") .. "]}"
        requests[#requests + 1] = "POST /urls HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            .. "Content-Length: " .. #body .. "\r\n\r\n" .. body
    end
    at = number * 7
end

function request()
    at = at % #requests + 1
    return requests[at]
end
