import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import * as assert from 'uvu/assert'
import type { Intake } from '../../../core/intake/intake.ts'
import type { SourcePlugin, StandardSchema } from '../../../core/plugin.ts'
import syslog from '../../../plugins/sources/syslog.ts'
import { dropsIn } from '../../../plugins/sources/syslog/kernel-drops.ts'
import { sourceChecks } from '../../../core/testing/source-checks.ts'
import { temporaryFolder } from '../../core/cli/agent-process.ts'
import { intakeFor, Seen, silent, sourceOf, until } from '../../core/intake/lines.ts'
import { keepsContract, suite, which } from '../../suite.ts'

const test = suite('syslog source')
const withOpenssl = suite('syslog source with certificates', 'openssl')
const withSenders = suite('syslog source with real senders', 'openssl', 'rsyslogd', 'lmnsd_gtls.so', 'logger')

const schema = syslog.options as StandardSchema<Parameters<typeof syslog.start>[1]['options']>
const folder = temporaryFolder()

/** A port that nobody has. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Runs `body` while the source runs with these options; what it tells is answered. */
async function running(
  options: object,
  body: (seen: Seen, told: string[], intake: Intake) => Promise<void>,
): Promise<string[]> {
  const checked = await schema['~standard'].validate(options)
  assert.is(checked.issues, undefined, JSON.stringify(checked.issues))
  const seen = new Seen()
  const intake = intakeFor(seen)
  const told: string[] = []
  const source = sourceOf('syslog', syslog as SourcePlugin, 'value' in checked ? checked.value : {}, 'sshd')
  const log = { ...silent, warn: (_: object, message: string) => void told.push(message) }
  try {
    await intake.configure([{ ...source, host: (parts) => ({ ...source.host(parts), log }) }])
    await body(seen, told, intake)
  } finally {
    await intake.stop()
  }
  assert.equal(seen.alarms, [])
  return told
}

const arrive = (seen: Seen, ...texts: string[]) =>
  until(
    () => texts.every((text) => seen.lines.some((line) => line.endsWith(text))),
    () => seen.lines,
  )

async function connected(port: number, options: ConnectionOptions | null = null): Promise<Socket> {
  for (let i = 0; ; i++) {
    const socket = options === null ? connect(port, '127.0.0.1') : connectTls({ port, host: '127.0.0.1', ...options })
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once(options === null ? 'connect' : 'secureConnect', resolve)
        socket.once('error', reject)
      })
      socket.on('error', () => {})
      return socket
    } catch (error) {
      if (i === 200 || !String(error).includes('ECONNREFUSED')) throw error
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}

const udp = createSocket('udp4').unref()

test('options say what is wrong', async () => {
  const cases: [options: object, says: string | null][] = [
    [{ listen: 'udp://127.0.0.1:5514' }, null],
    [{ listen: ['udp://127.0.0.1', 'tcp://[::1]:6601'] }, null],
    [{ listen: 'udp://0.0.0.0:5514', from: '192.0.2.0/24' }, null],
    [{ listen: 'tls://127.0.0.1:6514', cert: '/c', key: '/k', ca: '/a' }, null],
    [{ listen: 'tls://127.0.0.1:6514', cert: '/c', key: '/k', clients: 'any' }, null],
    [{ listen: 'udp://0.0.0.0:5514' }, 'open to others, so say who may send'],
    [{ listen: ['udp://127.0.0.1:5514', 'tcp://[::]:5514'] }, 'open to others, so say who may send'],
    [{ listen: 'tls://127.0.0.1:6514', cert: '/c', key: '/k' }, 'it signs the certificates of clients'],
    [{ listen: 'tls://127.0.0.1:6514', ca: '/a' }, 'tls needs a certificate'],
    [{ listen: '/dev/log' }, 'Node cannot listen on a socket for datagrams'],
    [{ listen: 'unix:///dev/log' }, 'Node cannot listen on a socket for datagrams'],
    [{ listen: 'udp://localhost:5514' }, 'a name is not looked up'],
    [{ listen: 'udp://127.0.0.1:99999' }, 'no port between 1 and 65535'],
    [{ listen: 'http://127.0.0.1' }, 'no place to listen on'],
    [{ listen: 7 }, 'expected a place such as'],
    [{}, 'is missing: say where to listen'],
    [{ listen: 'udp://127.0.0.1', from: 'nobody' }, 'expected an address or a prefix'],
    [{ listen: 'udp://127.0.0.1', cert: 'c.pem' }, 'expected an absolute path'],
  ]
  for (const [options, says] of cases) {
    const { issues } = await schema['~standard'].validate(options)
    if (says === null) assert.is(issues, undefined, JSON.stringify([options, issues]))
    else assert.match((issues ?? []).map(({ message }) => message).join('; '), says, JSON.stringify(options))
  }
})

test('datagrams and connections of both framings arrive, each sender in a log of its own', async () => {
  const port = await freePort()
  await running({ listen: [`udp://127.0.0.1:${port}`, `tcp://127.0.0.1:${port}`] }, async (seen) => {
    const lines = await connected(port)
    lines.write('<34>app: by line one\n<34>app: by line')
    lines.write(' two\n<34>app: last')
    lines.end()
    const counted = await connected(port)
    counted.write('18 <34>app: counted\na27 <34>app: counted and again')
    udp.send('<34>app: datagram', port, '127.0.0.1')
    await arrive(seen, 'app: by line one', 'app: by line two', 'app: last', 'app: counted#012a', 'app: datagram')
    counted.destroy()
    assert.equal([...new Set(seen.chunks.map(({ log }) => log))], ['syslog/127.0.0.1'])
    for (const line of seen.lines) assert.match(line, /^\d{4}-\d\d-\d\dT[\d:.]+Z 127\.0\.0\.1 app: /)
  })
})

test('who may not send is dropped, counted and told', async () => {
  const port = await freePort()
  const options = { listen: [`udp://127.0.0.1:${port}`, `tcp://127.0.0.1:${port}`], from: '192.0.2.0/24' }
  const told = await running(options, async (seen, told) => {
    const socket = await connected(port)
    await new Promise<void>((resolve) => socket.once('close', () => resolve()))
    for (let i = 0; i < 50 && told.length === 0; i++) {
      udp.send('<34>app: not wanted', port, '127.0.0.1')
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    assert.equal(seen.lines, [])
  })
  assert.match(told.join('\n'), /messages came from who may not send.*: 1, the last from 127\.0\.0\.1/)
})

test('a peer that breaks the framing, or has too many connections, is cut off; others are not', async () => {
  const port = await freePort()
  const told = await running({ listen: `tcp://127.0.0.1:${port}` }, async (seen) => {
    const broken = await connected(port)
    broken.write('5 abcde<34>not counted')
    await new Promise<void>((resolve) => broken.once('close', () => resolve()))
    const sockets: Socket[] = []
    for (let i = 0; i < 64; i++) sockets.push(await connected(port))
    const refused = connect(port, '127.0.0.1')
    refused.on('error', () => {})
    await new Promise<void>((resolve) => refused.once('close', () => resolve()))
    sockets[63]?.write('<34>app: the last of them\n')
    await arrive(seen, 'the last of them')
    for (const socket of sockets) socket.destroy()
  })
  assert.match(told.join('\n'), /no length stands/)
  assert.match(told.join('\n'), /their sender has 64 already/)
})

test('a slow agent slows connections, and loses nothing of them', async () => {
  const port = await freePort()
  await running({ listen: `tcp://127.0.0.1:${port}` }, async (seen) => {
    let open = () => {}
    seen.gate = new Promise((resolve) => (open = resolve))
    const socket = await connected(port)
    const filler = 'x'.repeat(1000)
    for (let i = 0; i < 20_000; i++) socket.write(`<34>app: ${i} ${filler}\n`)
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert.ok(socket.writableLength > 1_000_000, String(socket.writableLength))
    seen.gate = null
    open()
    await until(
      () => seen.lines.length === 20_000,
      () => seen.lines.length,
    )
    assert.equal(
      seen.lines.map((line) => Number(line.split(' ')[3])),
      Array.from({ length: 20_000 }, (_, i) => i),
    )
    socket.destroy()
  })
})

test('a port that somebody has is told, with who may have it', async () => {
  const port = await freePort()
  const other = createServer().listen(port, '127.0.0.1')
  const seen = new Seen()
  const intake = intakeFor(seen)
  const checked = await schema['~standard'].validate({ listen: `tcp://127.0.0.1:${port}` })
  await intake.configure([sourceOf('syslog', syslog as SourcePlugin, 'value' in checked ? checked.value : {}, 'sshd')])
  await until(() => seen.alarms.length > 0)
  await intake.stop()
  other.close()
  assert.match(seen.alarms[0] ?? '', `cannot listen on tcp://127.0.0.1:${port}: somebody else listens there`)
})

test('what the kernel dropped stands in its table', () => {
  const table = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  123: 0100007F:158A 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 20 2 0000000000000000 17
  124: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 21 2 0000000000000000 3
`
  assert.equal(dropsIn(table, 5514), [17])
  assert.equal(dropsIn(table, 53), [3])
  assert.equal(dropsIn('', 53), [])
})

withOpenssl('by TLS only with a certificate of ours, and the renewed one is taken', async () => {
  const files = makeCertificates(join(folder, 'tls'))
  const port = await freePort()
  const told = await running({ listen: `tls://127.0.0.1:${port}`, ...files.server }, async (seen, told) => {
    const certified = await connected(port, files.client)
    certified.write('<34>app: certified\n')
    await arrive(seen, 'app: certified')
    certified.destroy()
    const unknown = await connected(port, { ca: files.client.ca ?? '' }).catch(() => null)
    unknown?.write('<34>app: not certified\n')
    const plain = await connected(port)
    plain.write('<34>app: in the clear\n')
    await until(
      () => told.length > 0,
      () => told,
    )
    unknown?.destroy()
    plain.destroy()
    assert.is(seen.lines.length, 1)
  })
  assert.match(told.join('\n'), /were refused with their connection: [a-z]/)
  assert.not.match(told.join('\n'), /SSL routines|error:/)
})

withSenders('logger and rsyslogd send by UDP, TCP and TLS', async () => {
  const files = makeCertificates(join(folder, 'senders'))
  const [udpPort, tcp, tls] = [await freePort(), await freePort(), await freePort()]
  const listen = [`udp://127.0.0.1:${udpPort}`, `tcp://127.0.0.1:${tcp}`, `tls://127.0.0.1:${tls}`]
  await running({ listen, ...files.server }, async (seen) => {
    const path = which('logger') ?? ''
    const send = (...words: string[]) => execFileSync(path, ['--server', '127.0.0.1', '-t', 'sshd', '-i', ...words])
    await (await connected(tls, files.client)).destroy()
    send('--udp', '--port', String(udpPort), '--rfc5424', 'logger by UDP, 5424')
    send('--udp', '--port', String(udpPort), '--rfc3164', 'logger by UDP, 3164')
    send('--tcp', '--port', String(tcp), '--rfc5424', '--octet-count', 'logger by TCP, counted')
    send('--tcp', '--port', String(tcp), '--rfc3164', 'logger by TCP, by line')
    await arrive(seen, 'logger by UDP, 5424', 'logger by UDP, 3164', 'logger by TCP, counted', 'logger by TCP, by line')
    for (const line of seen.lines) assert.match(line, /^\d{4}-\d\d-\d\dT\S+ \S+ sshd\[\d+\]: logger by /)
    const daemon = startRsyslogd(join(folder, 'rsyslogd'), { udp: udpPort, tcp, tls }, files)
    try {
      await arrive(seen, 'rsyslog by UDP', 'rsyslog by TCP', 'rsyslog by TCP, counted', 'rsyslog by TLS')
    } catch (error) {
      throw new Error(`${String(error)} ${daemon.output()}`)
    } finally {
      daemon.process.kill('SIGKILL')
    }
    for (const line of seen.lines.filter((one) => one.includes('rsyslog by')))
      assert.match(line, /^\d{4}-\d\d-\d\dT\S+ \S+ app\[7\]: rsyslog by/)
  })
})

const contractPort = await freePort()
let sender: Socket | null = null
keepsContract(
  'source syslog',
  sourceChecks(syslog as SourcePlugin, {
    options: { listen: `tcp://127.0.0.1:${contractPort}` },
    textOf: (line) => line.replace(/^\S+ 127\.0\.0\.1 -: /, ''),
    async write(text) {
      if (sender === null || sender.destroyed) sender = await connected(contractPort).catch(() => null)
      await new Promise<void>((resolve) => (sender === null ? resolve() : sender.write(text, () => resolve())))
    },
  }),
)
sender = null
test.run()
withOpenssl.run()
withSenders.run()

interface Certified {
  readonly server: { readonly cert: string; readonly key: string; readonly ca: string }
  readonly files: { readonly cert: string; readonly key: string; readonly ca: string }
  readonly client: { readonly cert: Buffer; readonly key: Buffer; readonly ca: Buffer }
}

/** An authority, and certificates of it for a server at 127.0.0.1 and a client. */
function makeCertificates(place: string): Certified {
  mkdirSync(place, { recursive: true })
  const file = (name: string) => join(place, name)
  const openssl = (...words: string[]) => {
    const { status, stderr } = spawnSync(which('openssl') ?? '', words, { cwd: place, encoding: 'utf8' })
    assert.is(status, 0, stderr)
  }
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=test authority', '-days', '2')
  for (const name of ['server', 'client']) {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    writeFileSync(file(`${name}.ext`), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n')
    const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', `${name}.ext`, '-days', '2']
    openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...signed)
  }
  const of = (name: string) => ({ cert: file(`${name}.pem`), key: file(`${name}.key`), ca: file('ca.pem') })
  const client = of('client')
  const read = { cert: readFileSync(client.cert), key: readFileSync(client.key), ca: readFileSync(client.ca) }
  return { server: of('server'), files: client, client: read }
}

/** A real rsyslogd that sends a message by each way at its start. */
function startRsyslogd(
  place: string,
  ports: { readonly udp: number; readonly tcp: number; readonly tls: number },
  { files }: Certified,
): { process: ChildProcess; output: () => string } {
  mkdirSync(place, { recursive: true })
  const log = join(place, 'input.log')
  const ways: [name: string, options: string][] = [
    ['rsyslog by UDP', `protocol="udp" port="${ports.udp}"`],
    ['rsyslog by TCP', `protocol="tcp" port="${ports.tcp}"`],
    [
      'rsyslog by TCP, counted',
      `protocol="tcp" port="${ports.tcp}" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"`,
    ],
    [
      'rsyslog by TLS',
      `protocol="tcp" port="${ports.tls}" StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="anon"`,
    ],
  ]
  writeFileSync(
    join(place, 'rsyslog.conf'),
    [
      `global(workDirectory="${place}" defaultNetstreamDriver="ptcp" defaultNetstreamDriverCAFile="${files.ca}" defaultNetstreamDriverCertFile="${files.cert}" defaultNetstreamDriverKeyFile="${files.key}")`,
      'module(load="imfile")',
      `input(type="imfile" File="${log}" Tag="app[7]:")`,
      ...ways.map(([name, options]) => `if $msg == "${name}" then action(type="omfwd" target="127.0.0.1" ${options})`),
      '',
    ].join('\n'),
  )
  writeFileSync(log, ways.map(([name]) => `${name}\n`).join(''))
  const words = ['-n', '-f', join(place, 'rsyslog.conf'), '-i', join(place, 'rsyslogd.pid')]
  const child = spawn(which('rsyslogd') ?? '', words, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (data) => (output += data))
  child.stderr.on('data', (data) => (output += data))
  return { process: child, output: () => output }
}
