-- Appends one entry to the score log together with the composer's checkpoint, or says why not.
-- KEYS  state, score
-- ARGV  version, from_frame, until_frame, revision, frames_per_chunk, margin_us, retention_ms, wake, note, entry,
--       then field, value, ... of the checkpoint
-- A composer that is late can't rewrite what was heard: nothing may begin before the first chunk that is due a
-- margin from now. A second composer of the same channel is refused by the version.
local state, score = KEYS[1], KEYS[2]
local fields = redis.call('HMGET', state, 'epoch_us', 'version')
if not fields[1] then return {'missing', 0} end
if fields[2] ~= ARGV[1] then return {'conflict', tonumber(fields[2])} end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local seq = math.ceil((now - fields[1] + ARGV[6]) / 100000)
local floor = seq * ARGV[5]
if tonumber(ARGV[2]) < floor then return {'late', floor} end
local oldest = string.format('%d', math.floor(now / 1000) - ARGV[7])
local id = redis.call('XADD', score, 'MINID', '~', oldest, '*', 'batch', ARGV[10])
redis.call('HINCRBY', state, 'version', 1)
redis.call('HSET', state, 'until_frame', ARGV[3], 'composed_revision', ARGV[4], unpack(ARGV, 11))
redis.call('PUBLISH', ARGV[8], ARGV[9])
return {'ok', id}
