/** Run by the build, after the compiler: reads and compiles all filters of the package, so that no command has to. */
import { filterLanguage } from './matching/filter-language.ts'
import { prepareFilter } from './prepared-filters.ts'
import { readFilterFile } from './settings/filter-file.ts'
import { FilterLibrary } from './settings/filter-library.ts'
import { builtInFilters } from './settings/places.ts'

for (const [name, file] of await new FilterLibrary([builtInFilters]).names()) {
  const definition = await readFilterFile(file, name, [])
  // What is wrong with one is told to whoever wants it.
  if (definition !== undefined) prepareFilter(file, definition, filterLanguage)
}
