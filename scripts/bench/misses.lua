-- A new key for each request.
dofile(debug.getinfo(1, "S").source:match("^@(.*)misses%.lua$") .. "common.lua")

local new_key

function init(args)
    new_key = new_keys(args)
end

function request()
    return post(new_key())
end
