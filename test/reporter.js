import { beginConformity } from './conformityOfRun.ts'

// Prints what was skipped and why (a skipped test's name ends with its reason in brackets), how the local Azure fits
// Microsoft's OpenAPI files, then one plain closing line that any CI can read. A deviation counts as a failure.
export default class Reporter {
  onRunStart() {
    this.endConformity = beginConformity()
  }

  onRunComplete(_contexts, results) {
    const tests = results.testResults.flatMap((file) => file.testResults)
    const skipped = tests.filter((test) => test.status === 'pending' || test.status === 'todo')
    for (const test of skipped) console.log(`skipped: ${test.fullName}`)
    const { deviations, line } = this.endConformity()
    for (const deviation of deviations) console.log(deviation)
    console.log(line)
    this.deviations = deviations.length
    const brokenFiles = results.testResults.filter((file) => file.testExecError).length
    const failed = results.numFailedTests + brokenFiles + deviations.length
    console.log(`${results.numPassedTests} passed, ${failed} failed, ${skipped.length} skipped`)
  }

  // Jest ends with an exit code of its own for what a reporter finds wrong.
  getLastError() {
    return this.deviations ? new Error('the local Azure deviates from the OpenAPI files') : undefined
  }
}
