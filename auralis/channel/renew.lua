-- Renews what a worker still owns and says which entries those are. Only an owner can renew: a worker that was
-- stopped past its lease must not take back what another one has taken over.
-- KEYS  channels    ARGV  group, worker
local own = redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 10000, ARGV[2])
local ids = {}
for i, entry in ipairs(own) do ids[i] = entry[1] end
if #ids == 0 then return {} end
for _, id in ipairs(ids) do
  redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, id, 'JUSTID')
end
return ids
