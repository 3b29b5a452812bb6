/** Whether a text is a matcher in AssemblyScript: it imports the library for it. */
export function isMatcherSource(text: string): boolean {
  return /^\s*(?:import|export)\b[^'"]*from\s*['"]bailiff\/assembly['"]/m.test(text)
}
