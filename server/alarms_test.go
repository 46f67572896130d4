package server

func ruleBody() map[string]any {
	return map[string]any{"id": 0, "title": "Too hot", "watch": "chip-hot", "raise": 100, "clear": 90, "raise_after_s": 60, "clear_after_s": 60, "severity": "major",
		"means": "m", "safe": "s", "press": "p"}
}
