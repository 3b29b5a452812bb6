/**
 * Finds who asks an Oracle listener for databases that there are not, in its listener.log:
 *
 *   22-NOV-2026 13:41:02 * (CONNECT_DATA=(SID=X)(CID=(PROGRAM=)(HOST=x)(USER=u))) * (ADDRESS=(PROTOCOL=tcp)(HOST=192.0.2.7)(PORT=4711)) * establish * X * 12505
 *
 * The client writes CONNECT_DATA as it likes, with a HOST of its own choice. Whom it came from stands in ADDRESS, which the
 * listener writes; a line with two of them is one that a client has tampered with, and is passed over.
 */
import { Found, Options, Text } from 'bailiff/assembly'

/** Lines with none of these are not looked at: the usual one ends in ` * 0`. */
export const literals = [' * 125', ' * 1189', ' * 12618']

export const rules = ['unknown database', 'broken request']

let alsoBroken = true

export function configure(options: Options): string {
  const broken = options.get('broken_requests', 'true')
  alsoBroken = broken == 'true'
  return alsoBroken || broken == 'false' ? '' : 'broken_requests must be true or false, but is ' + broken
}

export function match(line: Text, found: Found): bool {
  const code = line.afterLast(' * ').number()
  // TNS-12505, 12514, 12516, 12519: no such SID or service. TNS-1189, 12504, 12508, 12618: no request of a client.
  if (code == 12505 || code == 12514) found.rule = 0
  else if (alsoBroken && (code == 1189 || code == 12504 || code == 12508 || code == 12618)) found.rule = 1
  else return false
  const address = line.after('(ADDRESS=(PROTOCOL=tcp')
  if (address.isMissing || address.contains('(ADDRESS=')) return false
  found.date = line.before(' * ')
  found.user = line.after('(USER=').before(')')
  found.address = address.after('(HOST=').before(')')
  return true
}
