import { Found, Text } from 'bailiff/assembly'

/** Lines without any of these are passed over at once. */
export const literals = ['|LOGIN|']

/** What `found.rule` means, for those who read why somebody was banned. */
export const rules = ['refused login', 'locked account']

/** NUMBER|DATE|HOST|LOGIN|WHAT|USER|ADDRESS */
export function match(line: Text, found: Found): bool {
  if (!line.field('|', 3).is('LOGIN')) return false
  const what = line.field('|', 4)
  if (what.is('LOCK')) found.rule = 1
  else if (!what.is('DENY')) return false
  found.date = line.field('|', 1)
  found.user = line.field('|', 5)
  found.address = line.field('|', 6)
  return true
}
