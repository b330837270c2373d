-- Puts a run of chunks into the ring: new ones at its end, or newer versions of chunks that are not frozen.
-- KEYS  state, ring, ringmeta
-- ARGV  epoch_us, guard_us, capacity, ahead, first seq, then for each chunk: score id, predecessor's id, frame
-- The invariant that makes every interruption inaudible: the predecessor's id stored with a chunk is the id of
-- the chunk before it, so that a run that ends inside the ring must end on the version its successor expects.
local state, ring, meta = KEYS[1], KEYS[2], KEYS[3]
local epoch = redis.call('HGET', state, 'epoch_us')
if epoch ~= ARGV[1] then return {'epoch', epoch or ''} end
local time = redis.call('TIME')
local elapsed = time[1] * 1000000 + time[2] - epoch
local unfrozen = math.floor((elapsed + ARGV[2]) / 100000) + 1
local capacity, start = tonumber(ARGV[3]), tonumber(ARGV[5])
local last = start + (#ARGV - 5) / 3 - 1

local function newer(a, b)
  local a_ms, a_n = string.match(a, '(%d+)-(%d+)')
  local b_ms, b_n = string.match(b, '(%d+)-(%d+)')
  a_ms, b_ms = tonumber(a_ms), tonumber(b_ms)
  if a_ms ~= b_ms then return a_ms > b_ms end
  return tonumber(a_n) > tonumber(b_n)
end

local function stored(seq)
  local pair = redis.call('HGET', meta, seq)
  if not pair then return nil end
  return string.match(pair, '(%S+) (%S+)')
end

if start < unfrozen then return {'frozen', unfrozen} end
if last > math.floor(elapsed / 100000) + ARGV[4] then return {'ahead', unfrozen} end

local length = redis.call('LLEN', ring)
local first = tonumber(redis.call('HGET', meta, 'first'))
-- Empty, or all of it is frozen and its next chunk too: the ring begins anew.
local anew = not first or length == 0 or first + length < unfrozen
if anew then first, length = start, 0 end
local head = first + length - 1

local predecessor = ARGV[7]
if anew then
  if predecessor ~= '0-0' then return {'chain', '0-0'} end
elseif start > head + 1 or start < first then
  return {'gap', start < first and first or head + 1}
else
  local _, before = stored(start)
  if start > first then before = stored(start - 1) end
  if predecessor ~= before then return {'chain', before} end
end
for i = 6, #ARGV, 3 do
  local own = not anew and stored(start + (i - 6) / 3)
  if i > 6 and ARGV[i + 1] ~= ARGV[i - 3] then return {'chain', ARGV[i - 3]} end
  -- The first chunk must be newer; those after it may be what they were (an escape), but never older.
  if own and (newer(own, ARGV[i]) or (i == 6 and own == ARGV[i])) then return {'stale', own} end
end
if last < head then
  local _, expected = stored(last + 1)
  if ARGV[#ARGV - 2] ~= expected then return {'chain', expected} end
end

if anew then redis.call('DEL', ring, meta) end
for i = 6, #ARGV, 3 do
  local seq = start + (i - 6) / 3
  if seq <= head then
    redis.call('LSET', ring, seq - first, ARGV[i + 2])
  else
    redis.call('RPUSH', ring, ARGV[i + 2])
  end
  redis.call('HSET', meta, string.format('%d', seq), ARGV[i] .. ' ' .. ARGV[i + 1])
end
head = math.max(head, last)
while head - first + 1 > capacity do
  redis.call('LPOP', ring)
  redis.call('HDEL', meta, string.format('%d', first))
  first = first + 1
end
redis.call('HSET', meta, 'first', string.format('%d', first))
return {'ok', unfrozen, head}
