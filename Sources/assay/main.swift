import AssayCommands

await AssayCommand.runAndExit()
