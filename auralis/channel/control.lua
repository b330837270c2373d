-- Accepts a control change: the state shows it at once, the composer gets it from the control stream.
-- KEYS  state, control
-- ARGV  wake, note, changes (msgpack), then field, value, ... of the state
if redis.call('EXISTS', KEYS[1]) == 0 then return {'missing', 0} end
local revision = redis.call('HINCRBY', KEYS[1], 'revision', 1)
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10000, '*', 'revision', revision, 'changes', ARGV[3])
redis.call('PUBLISH', ARGV[1], ARGV[2])
return {'ok', revision}
