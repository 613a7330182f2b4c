"""
The scripts of a `Pacer` in Redis: what `fiber/stores/pacing.py` says in Python, on the server's clock.

A line is three keys: a hash with its state and one field for each call in it; who came in which order; and who is dead
when. They go by themselves when all calls are dead and all meters are full.
"""

from __future__ import annotations

from fiber.stores.pacing import GRACE_SECONDS, LEAST_WAIT

_LINE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local state, order, dying = KEYS[1], KEYS[2], KEYS[3]

local function read(field)
    local packed = redis.call('HGET', state, field)
    return packed and cmsgpack.unpack(packed)
end

local function write(field, value) redis.call('HSET', state, field, cmsgpack.pack(value)) end

local line = read('line') or {at = now, count = 0, meters = {}}
local meters = line.meters

local function no_longer_wants(place)
    for name, amount in pairs(place.waits and place.amounts or {}) do
        meters[name].gone = meters[name].gone + amount
    end
    place.waits = false
end

local function drop(name)
    local place = read('place ' .. name)
    if place then no_longer_wants(place) end
    redis.call('HDEL', state, 'place ' .. name)
    redis.call('ZREM', order, name)
    redis.call('ZREM', dying, name)
    return place
end

local function flows_from(first)
    local flows = {}
    for i = first, #ARGV, 6 do
        local flow = {
            name = ARGV[i], amount = tonumber(ARGV[i + 1]), rate = tonumber(ARGV[i + 2]), most = tonumber(ARGV[i + 3]),
            used = tonumber(ARGV[i + 4]), left = tonumber(ARGV[i + 5]),
        }
        table.insert(flows, flow)
        local meter = meters[flow.name] or {level = flow.most, wanted = 0, gone = 0, taken = 0}
        meter.level = math.min(flow.most, meter.level + flow.rate * math.max(0, now - line.at))
        meters[flow.name], flow.meter = meter, meter
    end
    line.at = math.max(line.at, now)
    return flows
end

for _, name in ipairs(redis.call('ZRANGEBYSCORE', dying, '-inf', now)) do drop(name) end

local function keep(flows, seconds)
    for _, flow in ipairs(flows) do
        seconds = math.max(seconds, line.at - now + (flow.most - flow.meter.level) / flow.rate)
    end
    write('line', line)
    local milliseconds = math.ceil(seconds * 1000) + 1
    for _, key in ipairs(KEYS) do
        if redis.call('PTTL', key) < milliseconds then redis.call('PEXPIRE', key, milliseconds) end
    end
end
"""

TAKE = (
    _LINE
    + f"local least, grace = {LEAST_WAIT}, {GRACE_SECONDS}"
    + """
local name, places, longest, seconds = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local flows = flows_from(5)
local place = read('place ' .. name)
if not place then
    place = {waits = false, goes = false, amounts = {}, marks = {}, totals = {}}
    line.count = line.count + 1
    redis.call('ZADD', order, line.count, name)
end
local ahead, wait = 0, 0
if places >= 0 then ahead = math.max(0, redis.call('ZRANK', order, name) - places + 1) end
if ahead > 0 then
    wait = math.min(1, 0.02 * ahead)
elseif not place.goes then
    for _, flow in ipairs(flows) do
        local before = math.max(0, (place.marks[flow.name] or flow.meter.wanted) - flow.meter.gone)
        local lacks = before + math.min(flow.amount, flow.most) - flow.meter.level
        if flow.amount > 0 then wait = math.max(wait, lacks / flow.rate) end
    end
    wait = wait + line.at - now
end
local lives = seconds
if wait < least then
    if not place.goes then
        no_longer_wants(place)
        for _, flow in ipairs(flows) do
            flow.meter.level = flow.meter.level - flow.amount
            flow.meter.taken = flow.meter.taken + flow.amount
            place.amounts[flow.name], place.totals[flow.name] = flow.amount, flow.meter.taken
        end
        place.goes = true
    end
    wait = 0
elseif longest >= 0 and wait >= longest then
    write('place ' .. name, place)
    drop(name)
    keep(flows, 1)
    return {1, string.format('%.6f', wait)}
else
    if ahead == 0 and not place.waits then
        for _, flow in ipairs(flows) do
            place.marks[flow.name], place.amounts[flow.name] = flow.meter.wanted, flow.amount
            flow.meter.wanted = flow.meter.wanted + flow.amount
        end
        place.waits = true
    end
    wait = math.min(wait, math.max(1, wait / 4))
    lives = wait + grace
end
write('place ' .. name, place)
redis.call('ZADD', dying, now + lives, name)
keep(flows, lives)
return {0, string.format('%.6f', wait)}
"""
)

LEAVE = (
    _LINE
    + """
local name, elapsed, pause = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local flows = flows_from(4)
local place = drop(name)
for _, flow in ipairs(flows) do
    local meter = flow.meter
    if place and place.goes then
        local took = place.amounts[flow.name] or 0
        if flow.left then
            local since = math.max(0, meter.taken - (place.totals[flow.name] or 0))
            meter.level = math.min(meter.level, flow.left + flow.rate * elapsed - since)
        end
        local change = took - (flow.used or took)
        meter.level = math.min(flow.most, meter.level + change)
        meter.taken = meter.taken - change
    end
    if pause then meter.level = math.min(meter.level, 0) end
end
if pause then line.at = math.max(line.at, now + pause) end
keep(flows, line.at - now)
"""
)
