/**
 * Writes an access log in the combined format as nginx does, with requests that are no HTTP among them: those the filter
 * `nginx-bad-request` must find, and no other line.
 */
import {
  benchmarkAddress,
  writeGeneratedLog,
  type GeneratedLogAnswer,
  type GeneratedLogOptions,
  type Pick,
} from './generated-log.ts'

const agents = [
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0',
  'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)',
  'curl/8.9.1',
  '-',
]
const folders = ['', 'assets/', 'wp-content/uploads/2026/11/', 'api/v2/', 'static/js/', 'blog/2026/', 'img/']
const names = [
  'index.html',
  'app.3f9a.js',
  'style.css',
  'items?page=4&sort=asc',
  'a-photo.jpg',
  'feed.xml',
  'favicon.ico',
]
const referers = [
  '-',
  'https://www.example.org/',
  'https://www.example.org/some/page.html',
  'https://search.example/?q=x',
]
/** As nginx writes what it cannot read. */
const noise = [
  '',
  String.raw`\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03`,
  String.raw`\x03\x00\x00/*\xE0\x00\x00\x00\x00\x00Cookie: mstshash=Administr`,
  'SSH-2.0-Go',
  'CONNECT example.com:443 HTTP/1.1',
  'GET /../../../../etc/passwd HTTP/1.1',
  'MGLNDD_198.51.100.4_443',
]
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Writes the log to `file` and answers what it holds. */
export function writeWebLog(file: string, options: GeneratedLogOptions): GeneratedLogAnswer {
  return writeGeneratedLog(file, options, (pick, attack, second) => {
    const front = `${benchmarkAddress(pick)} - ${pick(40) === 0 ? 'joe' : '-'} [${clfTime(second)}]`
    if (attack) return `${front} "${one(pick, noise)}" 400 ${[0, 157, 255][pick(3)]} "-" "-"`
    const request = `${one(pick, ['GET', 'GET', 'GET', 'POST', 'HEAD'])} /${one(pick, folders)}${one(pick, names)} HTTP/${one(pick, ['1.1', '2.0'])}`
    const status = [200, 200, 200, 304, 301, 404, 206][pick(7)]
    return `${front} "${request}" ${status} ${pick(150_000)} "${one(pick, referers)}" "${one(pick, agents)}"`
  })
}

function one(pick: Pick, words: readonly string[]): string {
  return words[pick(words.length)] ?? ''
}

function clfTime(second: number): string {
  const date = new Date(Date.UTC(2026, 9, 1) + Math.floor(second / 50) * 1000)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${two(date.getUTCDate())}/${months[date.getUTCMonth()]}/${date.getUTCFullYear()}:${date.toISOString().slice(11, 19)} +0000`
}
