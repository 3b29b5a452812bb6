/** Lines as the services of the web write them, with all that a peer may have chosen in them. */

export const clf = '[22/Nov/2026:13:41:02 +0000]'
export const date = '2026/11/22 13:41:02'
export const head = 'Nov 22 13:41:02 web1'
export const json = (value: unknown) => JSON.stringify(value)
/** ngx_http_log_escape */
const nginxEscaped = (value: string) =>
  value.replaceAll(/["\\]|[^\x20-\x7e]/g, (one) =>
    [...Buffer.from(one)].map((byte) => `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
/** ap_escape_logitem */
export const apacheEscaped = (value: string) =>
  value
    .replaceAll(/["\\]/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
    .replaceAll(/[^\x20-\x7e]/g, '\\xc3')
/** ap_escape_errorlog_item, which leaves quotes alone */
const apacheErrorEscaped = (value: string) => apacheEscaped(value).replaceAll('\\"', '"')
/** What a syslog daemon makes of control characters. */
export const oneLine = (value: string) => value.replaceAll('\n', '#012').replaceAll('\t', '#011')
/** A user name ends at its first colon, in HTTP's basic authentication. */
export const userOf = (value: string) => value.split(':')[0] ?? ''

export interface Fields {
  readonly address: string
  readonly user: string
  readonly path: string
  readonly referrer: string
  readonly agent: string
}

/** With a line break in a name, nginx's error log has two lines, the second of which is a peer's own. See the filters. */
export function nginxError(message: string, address: string, path: string, referrer: string): string {
  const line = `${date} [error] 7#7: *1 ${message}, client: ${address}, server: _, request: "GET /${path} HTTP/1.1", host: "h", referrer: "${referrer}"`
  return oneLine(line)
}

export function nginxAccess(status: number, { address, user, path, referrer, agent }: Fields): string {
  return `${address} - ${nginxEscaped(user) || '-'} ${clf} "${nginxEscaped(`GET /${path} HTTP/1.1`)}" ${status} 153 "${nginxEscaped(referrer)}" "${nginxEscaped(agent)}"`
}

export function apacheAccess(status: number, { address, user, path, referrer, agent }: Fields): string {
  return `${address} - ${apacheEscaped(user) || '""'} ${clf} "${apacheEscaped(`GET /${path} HTTP/1.1`)}" ${status} 153 "${apacheEscaped(referrer)}" "${apacheEscaped(agent)}"`
}

export function apacheError(message: string, address: string, referrer: string): string {
  return `[Sun Nov 22 13:41:02.123456 2026] [core:error] [pid 7:tid 7] [client ${address}:443] ${apacheErrorEscaped(message)}, referer: ${apacheErrorEscaped(referrer)}`
}

export function goAddress(address: string): string {
  return address.includes(':') ? `[${address}]:443` : `${address}:443`
}

export function traefik(address: string, user: string, path: string, status: number): string {
  const client = { ClientAddr: goAddress(address), ClientHost: address, ClientPort: '443', ClientUsername: user }
  return json({ ...client, DownstreamContentSize: 17, DownstreamStatus: status, RequestPath: path, level: 'info' })
}

export function caddy(
  address: string,
  uri: string,
  headers: Readonly<Record<string, string[]>>,
  status: number,
): string {
  const client = { remote_ip: address, remote_port: '443', client_ip: address }
  const request = { ...client, proto: 'HTTP/2.0', method: 'GET', host: 'h', uri, headers }
  const line = { level: 'info', ts: 1795354862.1, logger: 'http.log.access', msg: 'handled request', request }
  return json({ ...line, bytes_read: 0, user_id: '', duration: 0.1, size: 0, status, resp_headers: {} })
}

export function nextcloud(remoteAddr: string, message: string, url: string, userAgent: string): string {
  const start = { reqId: 'x', level: 2, time: '2026-11-22T13:41:02+00:00', remoteAddr, user: '--', app: 'core' }
  return json({ ...start, method: 'POST', url, message, userAgent, version: '28.0.1.1', data: [] })
}
