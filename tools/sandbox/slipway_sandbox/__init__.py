"""The outside world imitated: Gemini, GitHub (REST, git, Pages) and the evaluator, on one port."""
