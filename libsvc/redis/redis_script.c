/* The scripts. Numbers are doubles in Lua, so those of 64 bits are added in two halves. */
#include "libsvc/redis/redis_script.h"

#include <string.h>

#define MARK "'\\0v1:'"

/*
 * `is`: whether the key has the wanted version; nil if it has no value. A value without a mark has
 * the begin of its SHA-1 as its version. An empty one that something else has written counts as
 * none, since a read cannot distinguish it from none.
 */
#define COMPARE                                                                                    \
    "local k = KEYS[1]\n"                                                                          \
    "local tail = redis.call('GETRANGE', k, -12, -1)\n"                                            \
    "local is\n"                                                                                   \
    "if #tail == 12 and string.sub(tail, 1, 4) == " MARK " then\n"                                 \
    "  is = string.sub(tail, 5) == ARGV[1]\n"                                                      \
    "elseif tail ~= '' then\n"                                                                     \
    "  is = string.sub(redis.sha1hex(redis.call('GET', k)), 1, 16) == ARGV[2]\n"                   \
    "end\n"                                                                                        \
    "if is == nil then return 0 end\n"                                                             \
    "if not is then return 2 end\n"

static const char replace_text[] = COMPARE "if ARGV[4] == '0' then redis.call('SET', k, ARGV[3])\n"
                                           "else redis.call('SET', k, ARGV[3], 'PX', ARGV[4]) end\n"
                                           "return string.sub(ARGV[3], -8)\n";

static const char delete_text[] = COMPARE "return redis.call('UNLINK', k)\n";

/* Adds to the number of the key: `n` are the new digits. A number stays below 2^63: its digits but
 * for the last nine are up to 9223372036. */
#define COUNT                                                                                      \
    "local k = KEYS[1]\n"                                                                          \
    "local v = redis.call('GET', k)\n"                                                             \
    "local hi, lo = 0, 0\n"                                                                        \
    "local function over() return hi > 9223372036 or hi == 9223372036 and lo > 854775807 end\n"    \
    "if v then\n"                                                                                  \
    "  if string.sub(v, -12, -9) == " MARK " then v = string.sub(v, 1, -13) end\n"                 \
    "  if #v > 19 or not string.find(v, '^%d+$') then return 0 end\n"                              \
    "  hi = tonumber(string.sub(v, 1, -10)) or 0\n"                                                \
    "  lo = tonumber(string.sub(v, -9))\n"                                                         \
    "  if over() then return 0 end\n"                                                              \
    "end\n"                                                                                        \
    "hi = hi + ARGV[1]\n"                                                                          \
    "lo = lo + ARGV[2]\n"                                                                          \
    "if lo >= 1000000000 then hi = hi + 1; lo = lo - 1000000000 end\n"                             \
    "if over() then return 1 end\n"                                                                \
    "local n = hi > 0 and string.format('%.0f%09.0f', hi, lo) or string.format('%.0f', lo)\n"      \
    "if v then redis.call('SET', k, n .. ARGV[3], 'KEEPTTL')\n"                                    \
    "elseif ARGV[4] == '0' then redis.call('SET', k, n .. ARGV[3])\n"                              \
    "else redis.call('SET', k, n .. ARGV[3], 'PX', ARGV[4]) end\n"

static const char increment_text[] = COUNT "return n\n";

/* Who receives the message sees its number before it. */
static const char publish_text[] =
    COUNT "redis.call('PUBLISH', ARGV[5], n .. ' ' .. ARGV[6])\nreturn n\n";

/*
 * GCRA, as a level: each window has a number of requests that are used and not yet regained, as of
 * the time `at`. It falls with time, by the rate, and rises by the cost. Requests are the unit, so
 * that whole costs add up exactly. A millionth of a request is lent, so that a charge passes at the
 * time that was promised to it, whatever was rounded.
 *
 * The reply is the bits of windows that refuse, and remaining, next, reset and retry of each
 * window, in microseconds; retry is -1 for never. Times beyond 9e15 us are cut to that.
 *
 * If the server's clock was set back, the state is written anew by that clock, without regained
 * requests, since otherwise nothing would be regained until the old time has come again.
 */
static const char limit_text[] =
    "local k, cost, n = KEYS[1], tonumber(ARGV[1]), (#ARGV - 1) / 3\n"
    "local time = redis.call('TIME')\n"
    "local now = time[1] * 1000000 + time[2]\n"
    "local names = {'at'}\n"
    "for i = 1, n do\n"
    "  names[i + 1] = ARGV[3 * i - 1] .. '/' .. ARGV[3 * i] .. '/' .. ARGV[3 * i + 1]\n"
    "end\n"
    "local old = redis.call('HMGET', k, unpack(names))\n"
    "local at = tonumber(old[1] or '')\n"
    "if not at and redis.call('EXISTS', k) == 1 then return -1 end\n"
    "local gone = at and now > at and now - at or 0\n"
    "local function us(x) return math.min(math.ceil(x), 9e15) end\n"
    "local used, refused, longest = {}, 0, 0\n"
    "for i = 1, n do\n"
    "  local u = (tonumber(old[i + 1] or '') or 0) - gone * ARGV[3 * i - 1] / ARGV[3 * i]\n"
    "  if not (u >= 1e-6) then u = 0 end\n"
    "  used[i] = u\n"
    "  if cost > 0 and u + cost > ARGV[3 * i + 1] + 1e-6 then refused = refused + 2 ^ (i - 1) end\n"
    "end\n"
    "local reply, state = {refused}, {'at', string.format('%.0f', now)}\n"
    "for i = 1, n do\n"
    "  local burst, interval = tonumber(ARGV[3 * i + 1]), ARGV[3 * i] / ARGV[3 * i - 1]\n"
    "  local u, retry = used[i], 0\n"
    "  if refused == 0 then u = u + cost\n"
    "  elseif cost > 0 and u + cost > burst + 1e-6 then\n"
    "    retry = cost > burst and -1 or us((u + cost - burst) * interval)\n"
    "  end\n"
    "  local left = math.max(math.floor(burst - u + 1e-6), 0)\n"
    "  reply[4 * i - 2] = left\n"
    "  reply[4 * i - 1] = u > 0 and us((u + left + 1 - burst) * interval) or 0\n"
    "  reply[4 * i] = us(u * interval)\n"
    "  reply[4 * i + 1] = retry\n"
    "  longest = math.max(longest, reply[4 * i])\n"
    "  state[2 * i + 1] = names[i + 1]\n"
    "  state[2 * i + 2] = string.format('%.17g', u)\n"
    "end\n"
    "if refused == 0 and cost > 0 or at and now < at then\n"
    "  if at and redis.call('HLEN', k) ~= n + 1 then redis.call('DEL', k) end\n"
    "  redis.call('HSET', k, unpack(state))\n"
    "  redis.call('PEXPIRE', k, string.format('%.0f', math.ceil(longest / 1000) + 1))\n"
    "end\n"
    "return reply\n";

void svc__redis_script_fill(struct redis_scripts *scripts)
{
    static const char *const texts[REDIS_SCRIPTS] = {
        [REDIS_SCRIPT_REPLACE] = replace_text,     [REDIS_SCRIPT_DELETE] = delete_text,
        [REDIS_SCRIPT_INCREMENT] = increment_text, [REDIS_SCRIPT_LIMIT] = limit_text,
        [REDIS_SCRIPT_PUBLISH] = publish_text,
    };
    for (int i = 0; i < REDIS_SCRIPTS; i++) {
        scripts->text[i] = texts[i];
        svc__redis_sha1_digits(texts[i], strlen(texts[i]), scripts->hash[i]);
    }
}
