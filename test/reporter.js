// Prints what was skipped and why (a skipped test's name ends with its reason in brackets),
// then one plain closing line that any CI can read.
export default class Reporter {
  onRunComplete(_contexts, results) {
    const tests = results.testResults.flatMap((file) => file.testResults)
    const skipped = tests.filter((test) => test.status === 'pending' || test.status === 'todo')
    for (const test of skipped) console.log(`skipped: ${test.fullName}`)
    const brokenFiles = results.testResults.filter((file) => file.testExecError).length
    const failed = results.numFailedTests + brokenFiles
    console.log(`${results.numPassedTests} passed, ${failed} failed, ${skipped.length} skipped`)
  }
}
