/** Reports as the server has them: a month's with a slip in its figures, one that is final, a week's with files alone. */

const text = (id, words, level = 0) => ({ kind: 'text', id, text: words, level, edited: false })
const row = (cells, depth = 0, strong = false) => ({
  id: `row/${cells[0]}`,
  cells,
  depth,
  strong,
  remark: '',
})
const FORMATS = ['html', 'docx', 'xlsx', 'pdf', 'json']

const MONTH = [
  text('h.1', '一、总体情况', 1),
  text(
    'p.phone',
    '10月，全市12345政务服务便民热线及归并专线电话进入排队量28,951件，人工接听27,453件，接通率94.83%，较上月下降0.71个百分点；15秒接通率88.27%。',
  ),
  text(
    'p.accepted',
    '共受理群众诉求27,776件，环比上升17.00%。其中当场答复20,832件，当场答复率75.00%；转派6,944件，环比上升44.25%；按时办结6,924件，按时办结率99.71%。',
  ),
  text('h.2', '二、诉求构成', 1),
  text('p.types', '按诉求类型，咨询类10,914件，占39.29%；求助类9,881件，占35.57%；投诉类6,820件，占24.55%。'),
  {
    ...{ kind: 'chart', id: 'c.types', title: '诉求类型', shape: 'pie', unit: '件' },
    labels: ['咨询', '求助', '投诉', '建议', '其他', '无效'],
    series: [{ name: '件', values: [10914, 9881, 6820, 115, 32, 14] }],
  },
  {
    ...{ kind: 'table', id: 't.channels', title: '受理渠道', source: '导入的数据文件' },
    columns: ['渠道', '受理（件）', '占比', '环比'],
    words: [true, false, false, false],
    rows: [
      row(['电话', '27,453', '98.84%', '+17.20%']),
      row(['市长信箱', '167', '0.60%', '+4.38%']),
      row(['省平台', '84', '0.30%', '-2.33%']),
      row(['微信', '63', '0.23%', '+8.62%']),
      row(['其他', '9', '0.03%', '0.00%']),
      row(['合计', '27,776', '100.00%', '+17.00%'], 0, true),
    ],
  },
  text('h.3', '三、热点诉求', 1),
  text('p.topics', '热点诉求前三位为社会保险3,791件、消费维权3,430件、医疗/生育保险1,018件。'),
  {
    ...{ kind: 'chart', id: 'c.topics', title: '热点诉求前十位', shape: 'bar', unit: '件' },
    labels: [
      '社会保险',
      '消费维权',
      '医疗/生育保险',
      '通信管理',
      '退休服务',
      '车辆管理',
      '劳动维权',
      '社保卡',
      '物业管理',
      '停车管理',
    ],
    series: [{ name: '件', values: [3791, 3430, 1018, 765, 706, 644, 634, 541, 400, 351] }],
  },
  text('h.4', '四、走势', 1),
  {
    ...{ kind: 'chart', id: 'c.trend', title: '近六个月受理与转派', shape: 'line', unit: '件' },
    labels: ['5月', '6月', '7月', '8月', '9月', '10月'],
    series: [
      { name: '受理', values: [21140, 22873, 25310, 24688, 23740, 27776] },
      { name: '转派', values: [4302, 4711, 5230, 5094, 4814, 6944] },
    ],
  },
  text('h.5', '五、专线运行情况', 1),
  {
    ...{ kind: 'table', id: 't.lines', title: '专线接听', source: '本系统通话记录' },
    columns: ['专线', '接听', '进入排队', '接通率', '环比'],
    words: [true, false, false, false, false],
    rows: [
      row(['12345 政务服务便民热线', '18,244', '19,310', '94.48%', '+15.61%']),
      row(['12315 市场监管', '4,120', '4,286', '96.13%', '+21.04%']),
      row(['12315 原工商', '3,291', '3,420', '96.23%', '+20.15%'], 1),
      row(['12358 原物价', '818', '866', '94.46%', '+24.70%'], 1),
      row(['12333 劳动社保', '3,466', '3,688', '93.98%', '+19.93%']),
      row(['12329 住房公积金', '1,623', '1,667', '97.36%', '+12.47%']),
      row(['合计', '27,453', '28,951', '94.83%', '+17.20%'], 0, true),
    ],
  },
  text('h.6', '六、承办单位办理情况', 1),
  text('p.units', '办结最快的是市供水集团、市城管局；按时办结率低于95%的有市住建局，发黄牌1张。'),
  {
    kind: 'note',
    id: 'n.manner',
    tone: 'source',
    remark: '',
    text: '环比：数量以百分比表示，比率以百分点表示。百分数四舍五入保留两位小数。',
  },
  {
    kind: 'note',
    id: 'n.check',
    tone: 'check',
    remark: '',
    text: '专线接听 12315：合计为4,120，下级专线相加为4,109，相差11。',
  },
]
const SLIPS = [
  '专线接听 12315：合计为4,120，下级专线相加为4,109，相差11',
  '受理渠道 市长信箱占比：填报为0.61%，按数量计算为0.60%',
]
const ago = (days) => new Date(Date.now() - days * 86_400_000).toISOString()
const head = (name, period, title, rest) => ({
  ...{ name, period, title, state: 'draft', made_at: ago(1), final_by: null, final_at: null },
  ...{ disagreements: 0, formats: FORMATS, ...rest },
})

export class Reports {
  constructor() {
    const month = head('monthly', '2026-10', '2026年10月运行情况通报', {
      disagreements: SLIPS.length,
      made_at: ago(0.3),
    })
    const before = head('monthly', '2026-09', '2026年9月运行情况通报', {
      ...{ state: 'final', made_at: ago(32), final_by: '林班长', final_at: ago(30) },
    })
    this.all = [
      { head: month, blocks: MONTH, disagreements: SLIPS, revision: 1 },
      { head: head('weekly', '2026-W45', '', { state: 'files', formats: ['docx', 'pdf'], made_at: ago(3) }) },
      { head: before, blocks: MONTH.filter((one) => one.kind !== 'note'), disagreements: [], revision: 1 },
    ]
    this.making = null
  }

  shelf() {
    return { reports: this.all.map((one) => one.head), making: this.making }
  }

  make({ what, period, words, again }) {
    const stem = what === 'topic' ? `topic-${period}` : period
    const there = this.all.find((one) => one.head.name === 'by-hand' && one.head.period === stem)
    if (there && !again) return null
    this.making = { name: 'by-hand', period: stem, failed: null }
    setTimeout(() => {
      const title = what === 'topic' ? `“${words}”专题报告` : `${period} 运行情况通报`
      const made = { head: head('by-hand', stem, title, { made_at: ago(0) }), blocks: MONTH.slice(0, 6) }
      this.all = [{ ...made, disagreements: [], revision: 1 }, ...this.all.filter((one) => one !== there)]
      this.making = null
    }, 3000)
    return this.making
  }

  find(name, period) {
    return this.all.find((one) => one.head.name === name && one.head.period === period && one.blocks)
  }

  content(found) {
    const { head: about, blocks, disagreements, revision } = found
    const status = about.state === 'final' ? `定稿 ${about.final_by}` : '未定稿'
    const told = { issuer: '12345政务服务便民热线', period_text: '2026年10月', status }
    return { head: about, revision: String(revision), blocks, disagreements, ...told }
  }

  /** As the server's: null where somebody else was faster. */
  change(found, { revision, texts = {} }, by) {
    if (revision !== String(found.revision)) return null
    found.revision += 1
    found.blocks = found.blocks.map((block) => {
      if (!(block.id in texts)) return block
      const words = texts[block.id]
      return words === null
        ? MONTH.find((one) => one.id === block.id)
        : { ...block, text: words, edited: true }
    })
    if (by !== undefined) {
      found.head = { ...found.head, state: 'final', final_by: by, final_at: new Date().toISOString() }
    }
    return this.content(found)
  }
}
