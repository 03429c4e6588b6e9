/**
 * What is done to a cached session in Redis, each in one step. Its key is a hash: `is` says what it is (or `ended`, its
 * tombstone), `idle` the seconds after which it is idle, `used` its last activity in seconds since the epoch.
 */

/** Reads sessions and, where somebody acts in one who is not idle, notes that. Arguments: now; for each key 1 when so. */
export const LOOK = `
local found = {}
for i, key in ipairs(KEYS) do
  local session = redis.call('HMGET', key, 'is', 'idle', 'used')
  if ARGV[i + 1] == '1' and session[3] then
    local since = tonumber(ARGV[1]) - tonumber(session[3])
    if since > 0 and since <= tonumber(session[2]) then redis.call('HSET', key, 'used', ARGV[1]) end
  end
  found[i] = session
end
return found`;

/** Keeps a session. Arguments: is, idle, used, seconds to keep it, 1 when it replaces what is there. */
export const KEEP = `
local known = redis.call('HMGET', KEYS[1], 'is', 'used')
if known[1] == 'ended' or (known[1] and ARGV[5] == '0') then return end
local used = math.max(tonumber(ARGV[3]), tonumber(known[2] or '0'))
redis.call('HSET', KEYS[1], 'is', ARGV[1], 'idle', ARGV[2], 'used', string.format('%d', used))
redis.call('EXPIRE', KEYS[1], ARGV[4])`;

/** Leaves a tombstone and tells of it. Arguments: the channel, the session's id, seconds to keep it. */
export const BURY = `
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'is', 'ended')
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('PUBLISH', ARGV[1], ARGV[2])`;
