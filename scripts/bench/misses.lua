-- A new key for each request: the argument after `--` tells runs apart, the number threads, the counter the rest. The hosts
-- are spread over the b-tree, as those of real URLs are; keys in order would share its last leaves and be cheap to store.
dofile(debug.getinfo(1, "S").source:match("^@(.*)misses%.lua$") .. "common.lua")

local rest = ""
local count = 0

function init(args)
    rest = string.format(".example.com/new-%s-%d/item?id=", args[1], number)
end

function request()
    count = count + 1
    return post(spread(count) .. rest .. count)
end
