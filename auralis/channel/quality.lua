-- Asks the composer for another quality. No listener has turned anything: no revision is counted, nothing is shown.
-- KEYS  state, control
-- ARGV  wake, note, quality (msgpack), changes (msgpack: none)
local revision = redis.call('HGET', KEYS[1], 'revision')
if not revision then return 'missing' end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10000, '*', 'revision', revision, 'changes', ARGV[4], 'quality', ARGV[3])
redis.call('PUBLISH', ARGV[1], ARGV[2])
return 'ok'
