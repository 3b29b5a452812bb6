/** Zones as a line or `logtimezone` spells them: names with fixed offsets, and `+hh`, `+hhmm`, `+hh:mm`. */
import { LineFails } from './line-fails.ts'
import { pythonInteger } from './python-numbers.ts'

/**
 * Minutes east of UTC; null: the text has not the form of a zone. Throws a `LineFails` for a name of no zone. One letter is a
 * military zone and has the sign that Fail2ban gives it, which is that of the zone's place on earth.
 */
export function zoneMinutes(text: string): number | null {
  const usual = usualOffset(text)
  if (usual !== null) return usual
  const [whole, name, sign, hours = '', minutes = '0'] = zoneText.exec(text) ?? []
  if (whole === undefined) return null
  const base = name === undefined ? 0 : offsets.get(name)
  if (base === undefined) throw new LineFails(`no zone has the name ${name ?? ''}`)
  if (sign === undefined) return base
  const offset = digits(hours) * 60 + digits(minutes)
  return base + (sign === '-' ? -offset : offset)
}

/** `+hhmm` and `+hh:mm`, which nearly all zones in logs are; null: it is something else. */
function usualOffset(text: string): number | null {
  const hasColon = text.length === 6 && text.charAt(3) === ':'
  if (text.length !== 5 && !hasColon) return null
  const sign = text.charAt(0) === '+' ? 1 : text.charAt(0) === '-' ? -1 : 0
  const hours = twoDigits(text, 1)
  const minutes = twoDigits(text, text.length - 2)
  return sign === 0 || hours < 0 || hours > 19 || minutes < 0 ? null : sign * (hours * 60 + minutes)
}

function twoDigits(text: string, at: number): number {
  const [first, second] = [text.charCodeAt(at) - 0x30, text.charCodeAt(at + 1) - 0x30]
  return first >= 0 && first <= 9 && second >= 0 && second <= 9 ? first * 10 + second : -1
}

const zoneText = /^([A-Z](?:[A-Z]{2,4})?)?(?:([+-])([01]\p{Nd})(?::?(\p{Nd}{2}))?)?$/u

/** Fail2ban's list: hours east of UTC, and the names. Where the world has several zones of a name, it has chosen one. */
const names: readonly (readonly [hours: number, names: string])[] = [
  [-12, 'Y'],
  [-11, 'X NUT SST'],
  [-10, 'W CKT HAST HST TAHT TKT'],
  [-9.5, 'MART MIT'],
  [-9, 'V AKST GAMT GIT HADT HNY'],
  [-8, 'U AKDT CIST HAY HNP PST PT'],
  [-7, 'T HAP HNR MST PDT'],
  [-6, 'S CST EAST GALT HAR HNC MDT'],
  [-5, 'R CDT COT EASST ECT EST ET HAC HNE PET'],
  [-4.5, 'HLV VET'],
  [-4, 'Q AST BOT CLT COST EDT FKT GYT HAE HNA PYT'],
  [-3.5, 'HNT NST NT'],
  [-3, 'P ADT ART BRT CLST FKST GFT HAA PMST PYST SRT UYT WGT'],
  [-2.5, 'HAT NDT'],
  [-2, 'O BRST FNT PMDT UYST WGST'],
  [-1, 'N AZOT CVT EGT'],
  [0, 'Z EGST GMT UTC WET WT'],
  [1, 'A CET DFT WAT WEDT WEST'],
  [2, 'B CAT CEDT CEST EET SAST WAST'],
  [3, 'C EAT EEDT EEST IDT MSK'],
  [3.5, 'IRST'],
  [4, 'D AMT AZT GET GST KUYT MSD MUT RET SAMT SCT'],
  [4.5, 'AFT IRDT'],
  [5, 'E AMST AQTT AZST HMT MAWT MVT PKT TFT TJT TMT UZT YEKT'],
  [5.5, 'SLT'],
  [5.75, 'NPT'],
  [6, 'F ALMT BIOT BTT IOT KGT NOVT OMST YEKST'],
  [6.5, 'CCT MMT'],
  [7, 'G CXT DAVT HOVT ICT KRAT NOVST OMSST THA WIB'],
  [8, 'H ACT AWST BDT BNT CAST HKT IRKT KRAST MYT PHT SGT ULAT WITA WST'],
  [9, 'I AWDT IRKST JST KST PWT TLT WDT WIT YAKT'],
  [9.5, 'ACST'],
  [10, 'K AEST PGT VLAT YAKST YAPT'],
  [10.5, 'ACDT LHST'],
  [11, 'L AEDT LHDT MAGT NCT PONT SBT VLAST VUT'],
  [11.5, 'NFT'],
  [12, 'M ANAST ANAT FJT GILT MAGST MHT NZST PETST PETT TVT WFT'],
  [13, 'FJST NZDT'],
]
const offsets: ReadonlyMap<string, number> = new Map(
  names.flatMap(([hours, list]) => list.split(' ').map((name): [string, number] => [name, hours * 60])),
)

function digits(text: string): number {
  return pythonInteger(text) ?? 0
}
