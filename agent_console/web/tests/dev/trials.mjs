/** Test calls as the server has them: a month of them, some marked, and those that are dialled meanwhile. */

const PARTS = { menu: 10, answering: 10, manner: 40, knowledge: 30, call_back: 10 }
const BLANK = {
  ...{ menu: null, answering: null, manner: null, knowledge: null, call_back: null },
  ...{ note: '', person_seconds: null },
}
const order = (name, number, unit, line, keys = '') => ({
  ...{
    name,
    number,
    unit,
    line,
    via: line === '' ? '10.8.0.2:5060' : '',
    keys,
    seconds: 60,
    ring_seconds: 60,
  },
})
const PLANS = [
  {
    order: order('湘乡市分中心', '073156771234', '湘乡市', ''),
    days: [1, 2, 3, 4, 5],
    times: ['09:30', '15:00'],
  },
  { order: order('韶山市分中心', '073155681234', '韶山市', ''), days: [1, 3, 5], times: ['10:10'] },
  { order: order('湘潭县分中心', '073157881234', '湘潭县', ''), days: [2, 4], times: ['16:20'] },
  {
    order: order('12315 值守', '12315', '市市场监管局', '12315', '1'),
    days: [1, 2, 3, 4, 5, 6, 7],
    every_minutes: 240,
  },
]
const TEXTS = [
  '您好，这里是政务服务便民热线，普通话服务请按一。您好，很高兴为您服务，请问有什么可以帮您？办理社保卡补办，请您带身份证到社区窗口，工作日都可以。',
  '您好，请讲。这个事情不归我们管，您打人社局的电话问一下吧。',
  '您好，工号三零六为您服务。关于公积金租房提取，您可以在线上办理，需要无房证明，三个工作日到账。',
]

function made(plan, number, at) {
  const answered = number % 7 !== 5
  const own = plan.order.line !== ''
  const marked = answered && number % 3 !== 0
  const slow = number % 5 === 3
  return {
    trial_id: `${at.toISOString().replace(/\D/g, '').slice(0, 14)}-${String(number).padStart(8, '0')}`,
    order: plan.order,
    began_at: at.toISOString(),
    result: answered ? 'answered' : number % 2 ? 'no_answer' : 'refused',
    status: answered ? 200 : number % 2 ? 408 : 486,
    answer_seconds: answered ? (slow ? 31.4 : 3.1 + (number % 6) * 1.7) : null,
    sound_seconds: answered ? 0.4 : null,
    spoken_seconds: answered ? 48.2 : 0,
    level_dbfs: answered ? (number % 6 === 4 ? -38.5 : -19.4) : null,
    silent_share: answered ? 0.2731 : null,
    keys: answered
      ? plan.order.keys
          .split('')
          .map((key, at) => `${key}@${(8.4 + at * 4).toFixed(1)}`)
          .join(' ')
      : '',
    call_id: null,
    person_seconds: own && answered ? 12.6 : null,
    agent: own && answered ? 'a1001' : null,
    reached_line: own && answered ? (number % 6 === 2 ? '12345' : '12315') : null,
    text: answered ? TEXTS[number % TEXTS.length] : null,
    has_sound: answered,
    marks: marked
      ? {
          menu: 10 - (number % 3),
          answering: slow ? 5 : 10,
          manner: 40 - (number % 4) * 2.5,
          knowledge: 30 - (number % 3) * 3.75,
          call_back: number % 4 === 1 ? null : 10,
          note: number % 4 === 2 ? '应答规范，解释清楚' : '',
          person_seconds: own ? null : 6.5 + (number % 4),
        }
      : BLANK,
    marked_by: marked ? 'boss' : '',
  }
}

const mean = (values) => {
  const given = values.filter((value) => value !== null)
  return given.length === 0
    ? null
    : Math.round((100 * given.reduce((sum, one) => sum + one, 0)) / given.length) / 100
}
const reached = ({ answer_seconds, person_seconds, marks }) => {
  const person = marks.person_seconds ?? person_seconds
  return person === null || answer_seconds === null ? null : answer_seconds + person
}

/** A tone that comes and goes, as mono WAV at 8 kHz. */
function wav(seconds) {
  const samples = Math.round(8000 * seconds)
  const file = Buffer.alloc(44 + 2 * samples)
  file.write('RIFF', 0)
  file.writeUInt32LE(36 + 2 * samples, 4)
  file.write('WAVEfmt ', 8)
  file.writeUInt32LE(16, 16)
  for (const [at, value] of [
    [20, 1],
    [22, 1],
    [32, 2],
    [34, 16],
  ])
    file.writeUInt16LE(value, at)
  file.writeUInt32LE(8000, 24)
  file.writeUInt32LE(16000, 28)
  file.write('data', 36)
  file.writeUInt32LE(2 * samples, 40)
  for (let at = 0; at < samples; at += 1) {
    const loud = Math.floor(at / 4000) % 3 === 2 ? 0 : 6000
    file.writeInt16LE(Math.round(loud * Math.sin((2 * Math.PI * 440 * at) / 8000)), 44 + 2 * at)
  }
  return file
}

export class Trials {
  constructor() {
    this.dialling = null
    this.calls = Array.from({ length: 36 }, (_, number) =>
      made(PLANS[number % PLANS.length], number, new Date(Date.now() - (number + 1) * 15.3 * 3_600_000)),
    )
  }

  now() {
    const plans = PLANS.map((plan, at) => ({
      ...{ times: [], every_minutes: null, ...plan },
      next_at: new Date(Date.now() + (at + 1) * 2.4 * 3_600_000).toISOString(),
    }))
    return { plans, dialling: this.dialling, full_marks: PARTS, shown_as: '12345999' }
  }

  wanted(asked) {
    const [since, until, before] = ['since', 'until', 'before'].map((name) =>
      Date.parse(asked.get(name) ?? ''),
    )
    const is = (name, ...values) => !asked.get(name) || values.includes(asked.get(name))
    return this.calls.filter(({ began_at, order: { unit, line }, reached_line }) => {
      const at = Date.parse(began_at)
      return (
        !(at < since || at >= until || at >= before) && is('unit', unit) && is('line', line, reached_line)
      )
    })
  }

  sums(asked) {
    const by = asked.get('by') ?? 'unit'
    const groups = new Map()
    for (const call of this.wanted(asked).reverse()) {
      groups.set(call.order[by], [...(groups.get(call.order[by]) ?? []), call])
    }
    return [...groups].map(([key, calls]) => {
      const marks = Object.fromEntries(
        Object.keys(PARTS).map((part) => [part, mean(calls.map((one) => one.marks[part]))]),
      )
      const points = Object.values(marks)
      return {
        ...{ key, calls: calls.length, marks },
        answered: calls.filter((one) => one.result === 'answered').length,
        reached: calls.filter((one) => reached(one) !== null).length,
        answer_seconds: mean(calls.map((one) => one.answer_seconds)),
        reached_seconds: mean(calls.map(reached)),
        marked: calls.filter((one) => one.marked_by !== '').length,
        points: points.includes(null) ? null : points.reduce((sum, one) => sum + one, 0),
      }
    })
  }

  dial({ name, number, unit, keys }) {
    const plan = PLANS.find((one) => one.order.name === name) ?? { order: order('', number, unit, '', keys) }
    this.dialling = plan.order
    setTimeout(() => {
      this.dialling = null
      this.calls.unshift({ ...made(plan, 3 * this.calls.length, new Date()) })
    }, 4000)
    return { number: plan.order.number }
  }

  mark(id, marks, user) {
    const call = this.calls.find((one) => one.trial_id === id)
    Object.assign(call, { marks: { ...BLANK, ...marks }, marked_by: user })
    return call
  }

  sound = () => wav(12)
}
