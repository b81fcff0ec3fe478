-- A new key for each request: the argument after `--` tells runs apart, the number threads, the counter the rest.
dofile(debug.getinfo(1, "S").source:match("^@(.*)misses%.lua$") .. "common.lua")

local prefix = ""
local count = 0

function init(args)
    prefix = string.format("http://new-%s-%d.example.com/shop/item?id=", args[1], number)
end

function request()
    count = count + 1
    return post(prefix .. count)
end
