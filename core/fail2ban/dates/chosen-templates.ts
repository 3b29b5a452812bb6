import { PatternError, type PatternPlace } from '../../matching/pattern-error.ts'
import type { DateForms } from './date-forms.ts'
import { UnknownToken } from './date-tokens.ts'
import { TemplateShelf, type DateTemplate } from './template-shelf.ts'

/**
 * The templates of all lines of `datepattern` in their order; the default list where they name none. Throws a
 * PatternError that names the line and shows it as written.
 */
export function chosenTemplates(patterns: readonly string[], forms: DateForms): readonly DateTemplate[] {
  const shelf = new TemplateShelf(forms)
  const chosen: DateTemplate[] = []
  for (const [index, pattern] of patterns.entries())
    addTemplates(chosen, shelf, pattern, { list: 'datepattern', index })
  return chosen.length > 0 ? chosen : shelf.defaultList()
}

/** What a line adds to those before it. Of a list, templates that are there already are left out. */
function addTemplates(chosen: DateTemplate[], shelf: TemplateShelf, pattern: string, place: PatternPlace): void {
  const added = templatesOf(shelf, pattern, place)
  const mayRepeat = added.length > 1 && chosen.length > 0
  for (const template of added) {
    const isKnown = chosen.some(({ form }) => form.name === template.form.name)
    if (!isKnown) chosen.push(template)
    else if (!mayRepeat)
      throw new PatternError(place, pattern, 0, 'a pattern of the same name stands before it', 'leave one of both out')
  }
}

function templatesOf(shelf: TemplateShelf, pattern: string, place: PatternPlace): readonly DateTemplate[] {
  try {
    const templates = shelf.ofPatternLine(pattern)
    for (const { form } of templates) form.check()
    return templates
  } catch (error) {
    if (error instanceof UnknownToken)
      throw new PatternError(place, pattern, error.position, error.message, 'a percent sign is written %%')
    // Its own place is one in what the tokens stand for, which nobody has written.
    if (error instanceof PatternError) throw new PatternError(place, pattern, 0, error.reason, error.hint)
    throw error
  }
}
