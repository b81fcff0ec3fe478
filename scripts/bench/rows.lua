-- Random ones of the KEYS keys that rows.sh has put into the table.
dofile(debug.getinfo(1, "S").source:match("^@(.*)rows%.lua$") .. "common.lua")

local KEYS = tonumber(os.getenv("KEYS"))

function init(args)
    math.randomseed(tonumber(args[1]) % 1000000007 + number)
end

function request()
    return post(string.format("http://row-%010d.example.com/shop/item?category=books&page=1", math.random(0, KEYS - 1)))
end
