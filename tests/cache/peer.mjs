// Runs the tests of http-cache-tests against a cache: node peer.mjs FOLDER-OF-THE-PACKAGE PROGRAM [TEST].
// The origin is the package's own, on loopback. Fails for each required rule that does not hold, unless it
// is listed below with the reason, and for each listed rule that does hold.
import http from 'http'
import path from 'path'
import { spawn } from 'child_process'
import { createRequire } from 'module'

const [folder, program, only] = process.argv.slice(2)
const load = (name) => import(path.join(folder, name))
const fetch = createRequire(path.join(folder, 'package.json'))('node-fetch')

const cookies = 'a reply that sets a cookie is never stored: it is for one client, whatever it says'
const exceptions = {
  'age-parse-prefix': 'by its name, as by those of its neighbours, a list of ages is stale; its table expects the opposite',
  'headers-store-Transfer-Encoding': 'libcurl, which forwards here, refuses the reply',
  'headers-store-Set-Cookie': cookies,
  'headers-store-Set-Cookie2': cookies,
  '304-etag-update-response-Set-Cookie': cookies,
  '304-etag-update-response-Set-Cookie2': cookies
}

async function listen () {
  const handlers = {
    config: (await load('server/handle-config.mjs')).default,
    state: (await load('server/handle-state.mjs')).default,
    test: (await load('server/handle-test.mjs')).default
  }
  const server = http.createServer((request, response) => {
    const parts = new URL(request.url, 'http://localhost').pathname.split('/').slice(1)
    const handler = handlers[parts.shift()]
    if (handler) return handler(parts, request, response)
    response.statusCode = 404
    response.end()
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

function start (origin) {
  const child = spawn(program, [], {
    env: {
      ...process.env,
      ORIGIN: origin,
      SVC_LISTEN: '127.0.0.1:0',
      SVC_ADMIN_LISTEN: '',
      SVC_DRAIN_DELAY_MS: '0',
      SVC_WORKER_QUEUE_MS: '600000' // a busy machine refuses no request
    },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  return new Promise((resolve, reject) => {
    let text = ''
    child.on('exit', () => reject(new Error(`the service has ended:\n${text}`)))
    const look = (data) => {
      text += data
      const found = /"listening".*"address":"([0-9.:]*)"/.exec(text)
      if (found) resolve({ child, base: `http://${found[1]}` })
      if (found && only) process.stderr.write(data)
    }
    child.stdout.on('data', look)
    child.stderr.on('data', look)
  })
}

// When the requests of a test were sent and answered, by the name that the test has in URLs.
const times = new Map()

async function timedFetch (url, init) {
  const name = /\/test\/([^/?]+)/.exec(url)?.[1]
  const time = { begin: performance.now() }
  if (name) times.set(name, [...(times.get(name) || []), time])
  try {
    return await fetch(url, init)
  } finally {
    time.end = performance.now()
  }
}

// Whether a reply that lives for seconds was asked for when it may have been stale: the result then says nothing. It
// may have lost a second by its Date.
function wasLate (test, name) {
  const asked = times.get(name) || []
  return test.requests.some((request, i) => {
    const life = /max-age=(\d+)/.exec(JSON.stringify(request.response_headers || []))?.[1]
    const isAgain = test.requests[i + 1]?.expected_type === 'cached' && !request.pause_after && asked[i + 1]
    return life > 0 && isAgain && asked[i + 1].end - asked[i].begin > (life - 1) * 1000
  })
}

// Many tests at once are too slow on a busy machine; one alone hardly is. A run adds fields to the requests of its test.
async function repeatLate (tests) {
  const { makeCacheTest, testResults, testUUIDs } = await load('client/test.mjs')
  for (const test of tests) {
    for (let tries = 0; tries < 20 && wasLate(test, testUUIDs[test.id]); tries++) {
      delete testResults[test.id]
      await makeCacheTest(structuredClone(test))
    }
  }
}

const kindOf = (test) => test.kind || 'required'

// A test whose premise does not hold says nothing, as the suite's own display has it.
function isMoot (test, tests, results) {
  return (test.depends_on || []).some((id) =>
    results[id] !== true || isMoot(tests.find((other) => other.id === id), tests, results))
}

function report (tests, results) {
  const passed = { required: 0, optimal: 0, check: 0 }
  const counted = { required: 0, optimal: 0, check: 0 }
  let faults = 0
  for (const test of tests) {
    const good = results[test.id] === true
    counted[kindOf(test)]++
    passed[kindOf(test)] += good
    if (good && exceptions[test.id] && ++faults) console.log(`FAIL: ${test.id} holds: it is no exception any more`)
    if (good || kindOf(test) === 'check') continue
    if (isMoot(test, tests, results)) {
      console.log(`moot: ${test.id}: it is about ${test.depends_on}, which this cache does not do`)
      continue
    }
    const why = exceptions[test.id]
    if (why) console.log(`exception: ${test.id}: ${why}`)
    else console.log(`${kindOf(test) === 'required' ? 'FAIL' : 'not optimal'}: ${test.id}: ${results[test.id]}`)
    faults += !why && kindOf(test) === 'required'
  }
  for (const kind in counted) console.log(`${kind}: ${passed[kind]} of ${counted[kind]}`)
  return faults
}

const log = console.log
const server = await listen()
const { child, base } = await start(`http://127.0.0.1:${server.address().port}`)
const suites = (await load('tests/index.mjs')).default
const tests = suites.flatMap((suite) => suite.tests).filter((test) => !test.browser_only && (!only || test.id === only))
if (only) for (const test of tests) test.dump = true
else console.log = () => {} // the origin prints its warnings
const runner = await load('client/runner.mjs')
await runner.runTests([{ tests: structuredClone(tests) }], timedFetch, false, base)
await repeatLate(tests)
console.log = log
const faults = report(tests, runner.getResults())
child.removeAllListeners('exit')
child.kill('SIGTERM')
process.exit(faults || tests.length < (only ? 1 : 300) ? 1 : 0)
