import AssayCommands

// Before there is a second thread: what holds the process that reads layers shall hold all of it.
AssayCommand.serveIfAsked()
AssayCommand.tellVersionIfAsked()
await AssayCommand.runAndExit()
