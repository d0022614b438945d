/**
 * Serves dist/ with a pretend exchange behind it, for working on the pages: `npm run build && npm run practice`.
 * POST /dev/do {"name": "arrive", "with": [...]} calls a method of World; /dev/cut breaks every socket.
 * Accounts: chen (agent), boss (supervisor); any password but "wrong".
 */

import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

import { WebSocketServer } from 'ws'

import { figures } from './figures.mjs'
import { Reports } from './reports.mjs'
import { staffing } from './staffing.mjs'
import { Trials } from './trials.mjs'
import { SITE, World } from './world.mjs'

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url))
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}
const CSP =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
const ACCOUNTS = {
  chen: { user: 'chen', name: '陈晓梅', role: 'agent', agent: 'a1001' },
  boss: { user: 'boss', name: '林班长', role: 'supervisor', agent: null },
}

let world = new World()
const trials = new Trials()
const reports = new Reports()
let sockets = new Set()
let refuse = false

const viewerOf = (request) => ACCOUNTS[/hotline_session=(\w+)/.exec(request.headers.cookie ?? '')?.[1]]
const QUEUES = [
  { queue: '12345', title: '综合坐席' },
  { queue: '12315', title: '消费维权坐席' },
]
const me = (viewer) => ({ ...viewer, agent: world.agent(viewer.agent) ?? null, queues: QUEUES })

async function body(request) {
  let text = ''
  for await (const chunk of request) text += chunk
  return text === '' ? {} : JSON.parse(text)
}

function answer(response, status, data, headers = {}) {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers })
  response.end(data === undefined ? undefined : JSON.stringify(data))
}

const fail = (response, status, code, headers) =>
  answer(response, status, { error: { code, message: code, hint: '' } }, headers)

async function session(request, response) {
  if (request.method === 'DELETE') {
    return answer(response, 204, undefined, { 'Set-Cookie': 'hotline_session=; Max-Age=0; Path=/' })
  }
  if (request.method === 'GET') {
    const viewer = viewerOf(request)
    return viewer ? answer(response, 200, me(viewer)) : fail(response, 401, 'not_signed_in')
  }
  const { user, password } = await body(request)
  if (user === 'busy') return fail(response, 429, 'too_many_attempts', { 'Retry-After': '30' })
  if (!ACCOUNTS[user] || password === 'wrong') return fail(response, 401, 'wrong_credentials')
  answer(response, 200, me(ACCOUNTS[user]), {
    'Set-Cookie': `hotline_session=${user}; HttpOnly; SameSite=Strict; Path=/`,
  })
}

async function seat(request, response, viewer, action) {
  answer(response, 200, world.seat(viewer.agent, action, await body(request)))
}

/** POST /api/call/{id}/…, /api/calls/{id}/note|nuisance, /api/waiting/{id}/…, /api/agents/{id}/force, /api/supervise/… */
async function command(request, response, viewer, [, kind, id, ...action]) {
  const what = await body(request)
  if (kind === 'agents') return answer(response, 200, world.seat(id, 'force', what))
  if (kind === 'call') return answer(response, 200, world.control(id, action.join('/'), what))
  if (kind === 'calls' && action[0] === 'note') {
    const note = {
      call_id: id,
      at: new Date().toISOString(),
      user: viewer.user,
      name: viewer.name,
      text: what.text,
    }
    world.notes.set(id, [...(world.notes.get(id) ?? []), note])
    return answer(response, 200, note)
  }
  if (kind === 'waiting') world.move(id, action[0], what.queue)
  if (kind === 'supervise') world.supervise(viewer.agent, id, action[0])
  answer(response, kind === 'callback' ? 202 : 200, {})
}

/** As the server's, for one word: each call with the utterances that hold it. */
function search(viewer, words) {
  const found = world.past.flatMap((call) => {
    if (viewer.role !== 'supervisor' && call.agent !== viewer.agent) return []
    const utterances = (world.segments.get(call.call_id) ?? []).flatMap((one) => {
      const at = one.text.indexOf(words)
      return at < 0 ? [] : [{ ...one, marks: [[at, at + words.length]] }]
    })
    return utterances.length > 0
      ? [{ call, utterances: utterances.slice(0, 3), count: utterances.length }]
      : []
  })
  return { calls: found, before: null, complete: true, catching_up: false }
}

/** A larger model that hears one word otherwise. */
function secondText(id) {
  const rows = (world.segments.get(id) ?? []).map((one, index) => ({
    side: one.side,
    start_seconds: one.start_seconds,
    end_seconds: one.end_seconds,
    live:
      index === 1
        ? [
            { text: one.text.slice(0, 6), same: true },
            { text: one.text.slice(6, 8), same: false },
            { text: one.text.slice(8), same: true },
          ]
        : [{ text: one.text, same: true }],
    second:
      index === 1
        ? [
            { text: one.text.slice(0, 6), same: true },
            { text: '城东边的', same: false },
            { text: one.text.slice(8), same: true },
          ]
        : [{ text: one.text, same: true }],
  }))
  return { state: 'done', model: 'vosk-model-cn-0.22', at: new Date().toISOString(), differed: 0.0421, rows }
}

/** GET and POST under /api/test-calls. */
async function testCalls(request, response, viewer, path) {
  const asked = new URL(request.url, 'http://x').searchParams
  const [id, what] = path.slice('/api/test-calls/'.length).split('/')
  if (path === '/api/test-calls/now') return answer(response, 200, trials.now())
  if (path === '/api/test-calls/sums') return answer(response, 200, { sums: trials.sums(asked) })
  if (what === 'marks') return answer(response, 200, trials.mark(id, await body(request), viewer.user))
  if (what === 'sound') {
    response.writeHead(200, { 'Content-Type': 'audio/wav' })
    return response.end(trials.sound())
  }
  if (request.method === 'GET') {
    const found = trials.wanted(asked).slice(0, Number(asked.get('limit') ?? 50))
    return answer(response, 200, { test_calls: found })
  }
  if (trials.dialling) return fail(response, 409, 'busy')
  answer(response, 202, trials.dial(await body(request)))
}

/** Under /api/reports: the list, making one, its content, its texts, making it final, its files. */
async function report(request, response, viewer, path) {
  const [name, period, what] = path.slice('/api/reports/'.length).split('/').map(decodeURIComponent)
  if (path === '/api/reports') {
    if (request.method === 'GET') return answer(response, 200, reports.shelf())
    const making = reports.make(await body(request))
    return making ? answer(response, 202, making) : fail(response, 409, 'report_exists')
  }
  if (what === undefined) {
    response.writeHead(200, { 'Content-Disposition': `attachment; filename="${name}-${period}"` })
    return response.end('practice')
  }
  const found = reports.find(name, period)
  if (!found) return fail(response, 404, 'not_found')
  if (what === 'content') return answer(response, 200, reports.content(found))
  const changed = reports.change(found, await body(request), what === 'final' ? viewer.name : undefined)
  return changed ? answer(response, 200, changed) : fail(response, 409, 'stale')
}

async function api(request, response, path) {
  if (path === '/api/session') return session(request, response)
  const viewer = viewerOf(request)
  if (!viewer) return fail(response, 401, 'not_signed_in')
  if (path === '/api/site') return answer(response, 200, SITE)
  if (path === '/api/live') return answer(response, 200, world.live(viewer))
  if (path === '/api/figures/today') return answer(response, 200, world.figures())
  if (path.startsWith('/api/test-calls')) return testCalls(request, response, viewer, path)
  if (path.startsWith('/api/reports')) return report(request, response, viewer, path)
  if (path.startsWith('/api/figures/')) {
    const asked = new URL(request.url, 'http://x').searchParams
    const given = request.method === 'GET' ? {} : await body(request)
    const found = figures(path, request.method, asked, given, world.past)
    return found ? answer(response, 200, found) : fail(response, 404, 'not_found')
  }
  if (path.startsWith('/api/agent/')) return seat(request, response, viewer, path.slice(11))
  if (path === '/api/calls') return answer(response, 200, { calls: world.past.slice(0, 50) })
  if (path === '/api/transcripts/search') {
    return answer(response, 200, search(viewer, new URL(request.url, 'http://x').searchParams.get('q')))
  }
  if (path.endsWith('/second-text')) {
    return answer(response, 200, secondText(decodeURIComponent(path.split('/').at(-2))))
  }
  if (path === '/api/targets') return answer(response, 200, world.targets())
  if (path === '/api/staffing') {
    return answer(response, 200, staffing(new URL(request.url, 'http://x').searchParams))
  }
  if (path === '/api/shift') return answer(response, 200, world.shift())
  if (path === '/api/supervise') return answer(response, 200, world.supervision(viewer.agent))
  if (path.endsWith('/earlier')) return answer(response, 200, { calls: world.earlier() })
  if (path === '/api/callbacks') return answer(response, 200, { callbacks: world.callbackRequests() })
  if (path === '/api/audit') return answer(response, 200, { rows: world.audit() })
  if (path === '/api/agents/today') return answer(response, 200, world.agentsToday())
  if (path === '/api/alerts') return answer(response, 200, { alerts: world.alerts })
  if (path.endsWith('/reveal')) return answer(response, 200, { caller_number: '13812341234' })
  if (path.endsWith('/draft')) {
    const id = decodeURIComponent(path.split('/').at(-2))
    if (request.method === 'GET') return answer(response, 200, world.draft(id))
    const { revision, fields } = await body(request)
    const saved = world.saveDraft(id, revision, fields, viewer.user)
    if (saved) return answer(response, 200, saved)
    return answer(response, 409, { error: { code: 'stale', message: '', hint: '' }, draft: world.draft(id) })
  }
  if (request.method === 'POST') {
    return command(request, response, viewer, path.slice(4).split('/').map(decodeURIComponent))
  }
  const id = decodeURIComponent(path.slice('/api/calls/'.length))
  const call = world.past.find((one) => one.call_id === id) ?? world.calls.get(id)
  return call
    ? answer(response, 200, {
        call,
        segments: world.segments.get(id),
        text_masked: false,
        notes: world.notes.get(id) ?? [],
        draft: world.draft(id),
        callbacks: [],
      })
    : fail(response, 404, 'not_found')
}

async function control(request, response, path) {
  if (path === '/dev/do') {
    const { name, with: values } = await body(request)
    return answer(response, 200, { result: world[name](...values) ?? null })
  }
  if (path === '/dev/cut') for (const socket of sockets) socket.terminate()
  if (path === '/dev/refuse') refuse = (await body(request)).refuse
  answer(response, 200, {})
}

async function file(response, path) {
  const headers = { 'Content-Security-Policy': CSP }
  const wanted = join(DIST, normalize(path))
  try {
    const data = await readFile(extname(wanted) ? wanted : join(DIST, 'index.html'))
    response.writeHead(200, { ...headers, 'Content-Type': TYPES[extname(wanted)] ?? TYPES['.html'] })
    response.end(data)
  } catch {
    response.writeHead(404, headers).end()
  }
}

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost')
  const work = pathname.startsWith('/api/') ? api : pathname.startsWith('/dev/') ? control : null
  void (work ? work(request, response, pathname) : file(response, pathname))
})

const doors = new WebSocketServer({ noServer: true })
server.on('upgrade', (request, socket, head) => {
  if (refuse) return socket.destroy()
  doors.handleUpgrade(request, socket, head, (peer) => enter(peer, viewerOf(request)))
})

function concerns(viewer, topics, { name, data }) {
  if (name === 'link_changed') return true
  if (name.startsWith('alert_')) return viewer.role === 'supervisor'
  if (topics.includes('calls')) return true
  if (name === 'agent_state_changed') return viewer.role === 'supervisor' || data.agent === viewer.agent
  const call = world.calls.get(data.call_id) ?? world.past.find((one) => one.call_id === data.call_id)
  return topics.includes('agent') && call?.agent === viewer.agent && viewer.agent !== null
}

function enter(peer, viewer) {
  if (!viewer) return peer.close(4401)
  const send = (frame) => peer.send(JSON.stringify(frame))
  peer.once('message', (text) => {
    const { topics, boot_id: bootId, last_seq: lastSeq } = JSON.parse(text)
    const resumed = bootId === world.bootId && lastSeq !== null
    const pass = (envelope) => {
      if (!concerns(viewer, topics, envelope)) return
      send({ type: 'event', ...envelope })
      if (envelope.name === 'agent_ringing')
        send({ type: 'call', data: world.calls.get(envelope.data.call_id) })
    }
    send({ type: 'welcome', boot_id: world.bootId, seq: resumed ? lastSeq : world.seq, resumed })
    if (resumed) for (const envelope of world.events) envelope.seq > lastSeq && pass(envelope)
    else snapshot(viewer, topics, send)
    world.listeners.add(pass)
    const pictures = setInterval(() => {
      send({ type: 'live', data: world.live(viewer) })
      if (topics.includes('board')) send({ type: 'figures', data: world.figures() })
    }, 1000)
    sockets.add(peer)
    peer.on('close', () => {
      sockets.delete(peer)
      world.listeners.delete(pass)
      clearInterval(pictures)
    })
  })
}

function snapshot(viewer, topics, send) {
  const live = world.live(viewer)
  const segments = live.calls.flatMap((call) => world.segments.get(call.call_id))
  send({
    type: 'snapshot',
    seq: world.seq,
    live,
    segments,
    figures: topics.includes('board') ? world.figures() : null,
  })
}

server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/`)
})
