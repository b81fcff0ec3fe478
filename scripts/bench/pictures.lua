-- Uploads the picture in the file PICTURE to /classify. What stands after a picture's end is not decoded, but it is part
-- of the key: twelve digits there make it a known picture (KEYS of them) or, where KEYS is absent, a new one each time.
dofile(debug.getinfo(1, "S").source:match("^@(.*)pictures%.lua$") .. "common.lua")

local KEYS = tonumber(os.getenv("KEYS"))
local BOUNDARY = "0e5b6bb7d0a2cf5f4a2c7e1d4b9b3a61"
local before, after
local requests = {}
local first = 0
local count = 0

local function upload(number)
    return before .. string.format("%012d", number) .. after
end

function init(args)
    local file = assert(io.open(os.getenv("PICTURE"), "rb"))
    local picture = file:read("*a")
    file:close()
    local head = "--" .. BOUNDARY
        .. '\r\nContent-Disposition: form-data; name="image"; filename="picture.png"\r\n\r\n'
    after = "\r\n--" .. BOUNDARY .. "--\r\n"
    before = "POST /classify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=" .. BOUNDARY
        .. "\r\nContent-Length: " .. #head + #picture + 12 + #after .. "\r\n\r\n" .. head .. picture
    if KEYS then
        for i = 0, KEYS - 1 do
            requests[i] = upload(i)
        end
        -- threads start at different keys: equal keys at one moment would share their work
        count = math.floor(KEYS / 2) * number
    else
        -- the argument tells runs apart, the number threads, the counter the rest
        first = tonumber(args[1]) % 1000000 * 1000000 + number * 500000
    end
end

function request()
    count = count + 1
    if KEYS then
        return requests[count % KEYS]
    end
    return upload(first + count)
end
