-- What a reader does not have yet of the ring, from one seq on.
-- KEYS  state, ring, ringmeta
-- ARGV  guard_us, from seq, base seq, then from the base on for each seq the ids that the reader holds ("": none)
-- Gives {now_us, epoch_us, first unfrozen seq, first, head, seq, "id predecessor", frame, seq, ...}
local state, ring, meta = KEYS[1], KEYS[2], KEYS[3]
local epoch = redis.call('HGET', state, 'epoch_us')
if not epoch then return {} end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local unfrozen = math.floor((now - epoch + ARGV[1]) / 100000) + 1
local length = redis.call('LLEN', ring)
local first = tonumber(redis.call('HGET', meta, 'first') or 0)
local from, base = tonumber(ARGV[2]), tonumber(ARGV[3])
local reply = {string.format('%d', now), epoch, unfrozen, first, first + length - 1}
for seq = math.max(first, from), first + length - 1 do
  local pair = redis.call('HGET', meta, string.format('%d', seq))
  if seq < base or pair ~= ARGV[4 + seq - base] then
    reply[#reply + 1] = seq
    reply[#reply + 1] = pair
    reply[#reply + 1] = redis.call('LINDEX', ring, seq - first)
  end
end
return reply
