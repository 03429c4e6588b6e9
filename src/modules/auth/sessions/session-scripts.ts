/**
 * What is done to a cached session in Redis, each in one step. It is one string, so that many are read by one MGET: its last
 * activity in ten digits of seconds since the epoch, `|`, and what it is (`ended`, its tombstone, or the rest of the session).
 */

/** Notes activity, where it is later than what is known of. Arguments: for each key the seconds. */
export const TOUCH = `
for i, key in ipairs(KEYS) do
  local used = tonumber(redis.call('GETRANGE', key, 0, 9))
  if used and used < tonumber(ARGV[i]) then redis.call('SETRANGE', key, 0, ARGV[i]) end
end`;

/**
 * Keeps a session. Arguments: its last activity, the rest, seconds to keep it, 1 when it replaces what is there. What an older
 * release has kept, which knew less of it, is replaced always.
 */
export const KEEP = `
local known = redis.call('GET', KEYS[1])
if known and string.sub(known, 11) == '|ended' then return end
if known and ARGV[4] == '0' then
  local _, fields = string.gsub(known, '|', '')
  local _, wanted = string.gsub(ARGV[2], '|', '')
  if fields > wanted then return end
end
local used = math.max(tonumber(ARGV[1]), tonumber(string.sub(known or '', 1, 10)) or 0)
redis.call('SET', KEYS[1], string.format('%010d', used) .. '|' .. ARGV[2], 'EX', ARGV[3])`;

/** Leaves a tombstone and tells of it. Arguments: the channel, the session's id, seconds to keep it. */
export const BURY = `
redis.call('SET', KEYS[1], '0000000000|ended', 'EX', ARGV[3])
redis.call('PUBLISH', ARGV[1], ARGV[2])`;
