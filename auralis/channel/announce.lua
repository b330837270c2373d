-- Gives a channel its assignment entry, unless it has one: two that create it at once must not make two.
-- KEYS  channels    ARGV  channel
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do
  if entry[2][2] == ARGV[1] then return 0 end
end
redis.call('XADD', KEYS[1], '*', 'channel', ARGV[1])
return 1
