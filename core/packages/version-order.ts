/**
 * Which of two versions is younger, as semver 2.0 orders them (section 11): below 0 where the first is older, 0 where
 * they are equal, above 0 where it is younger.
 */
export function compareVersions(a: string, b: string): number {
  const [first, second] = [partsOf(a), partsOf(b)]
  for (const at of [0, 1, 2]) {
    const difference = Number(first.numbers[at] ?? 0) - Number(second.numbers[at] ?? 0)
    if (difference !== 0) return difference
  }
  // A version comes after all of its own pre-releases.
  if (first.pre.length === 0 || second.pre.length === 0) return second.pre.length - first.pre.length
  for (let at = 0; at < Math.max(first.pre.length, second.pre.length); at++) {
    const difference = compareParts(first.pre[at], second.pre[at])
    if (difference !== 0) return difference
  }
  return 0
}

function partsOf(version: string): { readonly numbers: readonly string[]; readonly pre: readonly string[] } {
  const [, numbers = '', pre = ''] = /^([\d.]*)(?:-([0-9A-Za-z.-]*))?/.exec(version) ?? []
  return { numbers: numbers.split('.'), pre: pre === '' ? [] : pre.split('.') }
}

/** Numbers come before words, and a list before a longer one that begins with it. */
function compareParts(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1
  const [isNumber, isOtherNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (isNumber && isOtherNumber) return Number(a) - Number(b)
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1
  return a < b ? -1 : Number(a > b)
}
