/**
 * The usual forms as patterns, for `{DATE}` inside a pattern: the same as `date-forms.ts` reads by hand. The
 * first that matches is taken, so those that a part of another would fit stand behind it.
 */
const clock = ':%ExM:%ExS(?:[.,]%f)?'

export const usualDatePatterns: readonly string[] = [
  `%ExY(?P<between>[-/.])%Exm(?P=between)%Exd[T_ ] ?%H${clock}(?: ?%z)?`,
  `%ExY%Exm%Exd[T -]%ExH%ExM%ExS(?:[.,]%f)?(?: ?%z)?`,
  `%d(?P<between>[-/ ])%b(?P=between)%ExY[ :]%H${clock}(?: %z)?`,
  `(?:%a,? )?%b ?%d,? %ExY %l${clock} %p`,
  `(?:%a,? )?%b ?%d %ExY %k${clock}`,
  `(?:%a,? )?%b ?%d %k${clock}(?: %ExY)?`,
  `%b-%d-(?:%ExY|%Exy) %k${clock}`,
  `%m/%d/%ExY %l${clock} %p`,
  `%m/%d/%ExY:%H${clock}`,
  `%d(?P<between>[-/.])%m(?P=between)(?:%ExY|%Exy)[ :]%k${clock}(?: %z)?`,
  `%m(?P<between>[-/])%d(?P=between)(?:%ExY|%Exy)[ @]%k${clock}`,
  `%Exy%Exm%Exd %k${clock}`,
  '{EPOCH}',
  `%H${clock}`,
]
