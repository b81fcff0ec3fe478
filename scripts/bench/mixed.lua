-- By turns one of the 1,000 stored keys and a new one.
dofile(debug.getinfo(1, "S").source:match("^@(.*)mixed%.lua$") .. "common.lua")

local KEYS = 1000
local new_key
local count = 0

function init(args)
    new_key = new_keys(args)
end

function request()
    count = count + 1
    if count % 2 == 0 then
        local i = count / 2 % KEYS
        return post(string.format("http://known-%04d.example.com/shop/item?id=%d", i, i * 7919))
    end
    return post(new_key())
end
