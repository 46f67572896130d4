package miner

// Chips, boards and fans: the device tables of pyasic (commit e2b9d357) and
// asic-rs (commit fdcd1018). Where the two disagree the field is left out: the
// Avalon Q's fans (2 and 4).
var canaanHardware = []hardware{
	{name: "Avalon 721", boards: 4, chips: 18, fans: 1, cooling: Air, source: peers, bins: bins{{6, 900, listed}}},
	{name: "Avalon 741", boards: 4, chips: 22, fans: 1, cooling: Air, source: peers, bins: bins{{7.3, 1150, listed}}},
	{name: "Avalon 761", boards: 4, chips: 18, fans: 1, cooling: Air, source: peers, bins: bins{{8.8, 1320, listed}}},
	{name: "Avalon 821", boards: 4, chips: 26, fans: 1, cooling: Air, source: peers, bins: bins{{11.5, 1200, listed}, {11, 1200, listed}}},
	{name: "Avalon 841", boards: 4, chips: 26, fans: 1, cooling: Air, source: peers, bins: bins{{13.6, 1290, listed}}},
	{name: "Avalon 851", boards: 4, chips: 26, fans: 1, cooling: Air, source: peers, bins: bins{{14.5, 1450, listed}}},
	{name: "Avalon 921", boards: 4, chips: 26, fans: 1, cooling: Air, source: peers, bins: bins{{20, 1700, listed}}},
	{name: "Avalon 1026", boards: 3, chips: 80, fans: 2, cooling: Air, source: peers, bins: bins{{30, 2070, listed}}},
	{name: "Avalon 1041", cooling: Air, bins: bins{{31, 1736, listed}}},
	{name: "Avalon 1047", boards: 3, chips: 80, fans: 2, cooling: Air, source: peers, bins: bins{{37, 2380, listed}}},
	{name: "Avalon 1066", boards: 3, chips: 114, fans: 4, cooling: Air, source: peers, bins: bins{{50, 3250, listed}}},
	{name: "Avalon 1066 Pro", cooling: Air, bins: bins{{55, 3300, listed}}},
	{name: "Avalon 1126 Pro", boards: 3, chips: 120, fans: 4, cooling: Air, source: peers,
		bins: bins{{68, 3420, listed}, {60, 3420, listed}, {64, 3420, listed}}},
	{name: "Avalon 1146", cooling: Air, bins: bins{{56, 3192, listed}}},
	{name: "Avalon 1146 Pro", cooling: Air, bins: bins{{63, 3276, listed}}},
	{name: "Avalon 1166", cooling: Air, bins: bins{{68, 3196, listed}}},
	{name: "Avalon 1166 Pro", boards: 3, chips: 120, fans: 4, cooling: Air, source: peers,
		bins: bins{{81, 3400, listed}, {72, 3420, listed}, {75, 3276, listed}, {78, 3276, listed}}},
	{name: "Avalon 1246", boards: 3, chips: 120, fans: 4, cooling: Air, source: peers,
		bins: bins{{90, 3420, seeded}, {83, 3420, listed}, {85, 3420, listed}, {93, 3420, listed}, {96, 3420, listed}}},
	{name: "Avalon 1266", cooling: Air, bins: bins{{100, 3500, listed}}},
	{name: "Avalon 1326", cooling: Air, bins: bins{{110, 3425, listed}}},
	{name: "Avalon 1346", cooling: Air, bins: bins{{110, 3300, listed}}},
	{name: "Avalon 1366", cooling: Air, bins: bins{{130, 3250, listed}}},
	{name: "Avalon 1366I", cooling: Immersion, bins: bins{{119, 3570, listed}, {122, 3570, listed}}},
	{name: "Avalon 1446", cooling: Air, bins: bins{{135, 3310, listed}}},
	{name: "Avalon 1466", boards: 3, chips: 176, fans: 2, cooling: Air, source: peers, bins: bins{{150, 3230, listed}}},
	{name: "Avalon 1466I", cooling: Immersion, bins: bins{{170, 3317, listed}, {153, 3320, listed}}},
	{name: "Avalon 1566", boards: 3, chips: 160, fans: 2, cooling: Air, source: peers, bins: bins{{185, 3420, listed}}},
	{name: "Avalon 1566I", cooling: Immersion, bins: bins{{249, 4500, listed}, {261, 4500, listed}}},
	{name: "Avalon 1566HA", boards: 4, chips: 160, cooling: Hydro, source: peers, bins: bins{{480, 8064, listed}}},
	{name: "Avalon 1566HU", boards: 3, chips: 160, source: peers},
	{name: "Avalon A15", boards: 3, chips: 160, fans: 2, cooling: Air, source: peers, bins: bins{{194, 3647, listed}}},
	{name: "Avalon A15 Pro", boards: 3, chips: 160, fans: 2, cooling: Air, source: peers,
		bins: bins{{218, 3662, listed}, {221, 3662, listed}}},
	{name: "Avalon A15XP", cooling: Air, bins: bins{{206, 3667, listed}}},
	{name: "Avalon A16", cooling: Air, bins: bins{{282, 3900, listed}}},
	{name: "Avalon A16XP", cooling: Air, bins: bins{{300, 3850, seeded}}},
	{name: "Avalon Q", boards: 1, chips: 160, cooling: Air, source: peers, bins: bins{{90, 1674, listed}}},
	{name: "Avalon Nano 3", boards: 1, chips: 10, fans: 1, cooling: Air, source: peers, bins: bins{{4, 140, listed}}},
	{name: "Avalon Nano 3S", boards: 1, chips: 12, fans: 1, cooling: Air, source: peers, bins: bins{{6, 140, listed}}},
	{name: "Avalon Mini 3", boards: 1, chips: 66, fans: 1, cooling: Air, source: peers, bins: bins{{37.5, 800, listed}}},
}

// The A2's boards, chips and fans: asic-rs (commit fdcd1018).
var bitdeerHardware = []hardware{
	{name: "SealMiner A2", boards: 3, chips: 153, chip: "SEAL02", fans: 4, cooling: Air, source: peers, bins: bins{{226, 3730, listed}}},
	{name: "SealMiner A2 Hydro", chip: "SEAL02", cooling: Hydro, bins: bins{{446, 7360, listed}}},
	{name: "SealMiner A2 Pro Air", chip: "SEAL02", cooling: Air, bins: bins{{255, 3790, listed}}},
	{name: "SealMiner A2 Pro Hydro", chip: "SEAL02", cooling: Hydro, bins: bins{{500, 7450, listed}}},
	{name: "SealMiner A3 Air", chip: "SEAL03", cooling: Air, bins: bins{{260, 3640, listed}}},
	{name: "SealMiner A3 Hydro", chip: "SEAL03", cooling: Hydro, bins: bins{{500, 6750, listed}}},
	{name: "SealMiner A3 Pro Air", chip: "SEAL03", cooling: Air, bins: bins{{290, 3625, seeded}}},
	{name: "SealMiner A3 Pro Hydro", chip: "SEAL03", cooling: Hydro, bins: bins{{660, 8250, seeded}}},
	{name: "SealMiner A4 Pro Air", chip: "SEAL04", cooling: Air, bins: bins{{336, 3662, seeded}}},
	{name: "SealMiner A4 Pro Hydro", chip: "SEAL04", cooling: Hydro, bins: bins{{680, 7412, listed}}},
	{name: "SealMiner A4 Ultra Hydro", chip: "SEAL04", cooling: Hydro, bins: bins{{886, 8372, seeded}}},
}

// Open-source hardware. Bitaxe: chips and watts per board version from
// ESP-Miner's device configuration (main/device_config.h, 2026-08-22); the
// nameplate hashrate is its default clock times the chip's small cores, as the
// firmware itself computes what it expects. A board version is a row, as MicroBT's
// revisions are.
var bitaxeHardware = []hardware{
	{name: "Bitaxe Max", boards: 1, chip: "BM1397", fans: 1, cooling: Air, source: espMiner, bins: bins{{0.2856, 12, espMiner}}, revisions: "102:1 2.2:1"},
	{name: "Bitaxe Ultra", boards: 1, chip: "BM1366", fans: 1, cooling: Air, source: espMiner, bins: bins{{0.43359, 12, espMiner}},
		revisions: "205:1 201:1 202:1 203:1 204:1 207:1 0.11:1"},
	{name: "Bitaxe Hex", boards: 1, chip: "BM1366", cooling: Air, source: espMiner, bins: bins{{2.60154, 40, espMiner}}, revisions: "302:6 303:6"},
	{name: "Bitaxe Supra", boards: 1, chip: "BM1368", fans: 1, cooling: Air, source: espMiner, bins: bins{{0.62524, 12, espMiner}},
		revisions: "401:1 400:1 402:1 403:1"},
	{name: "Bitaxe Gamma", boards: 1, chip: "BM1370", fans: 1, cooling: Air, source: espMiner, bins: bins{{1.071, 19, espMiner}},
		revisions: "601:1 600:1 602:1 603:1"},
	{name: "Bitaxe GammaDuo", boards: 1, chip: "BM1370", cooling: Air, source: espMiner, bins: bins{{1.632, 35, espMiner}}, revisions: "650:2"},
	{name: "Bitaxe SupraHex", boards: 1, chip: "BM1368", cooling: Air, source: espMiner, bins: bins{{3.75144, 90, espMiner}}, revisions: "701:6 702:6"},
	{name: "Bitaxe GammaTurbo", boards: 1, chip: "BM1370", cooling: Air, source: espMiner, bins: bins{{2.142, 36, espMiner}}, revisions: "801:2"},
}

// NerdAxe and its siblings: ESP-Miner-NerdQAxePlus, main/boards (2026-06-02).
var nerdHardware = []hardware{
	{name: "NerdAxe", boards: 1, chips: 1, chip: "BM1366", fans: 1, cooling: Air, source: nerdAxe},
	{name: "NerdAxeGamma", boards: 1, chips: 1, chip: "BM1370", fans: 1, cooling: Air, source: nerdAxe},
	{name: "NerdQAxe+", boards: 1, chips: 4, chip: "BM1368", fans: 2, cooling: Air, source: nerdAxe},
	{name: "NerdQAxe++", boards: 1, chips: 4, chip: "BM1370", fans: 2, cooling: Air, source: nerdAxe},
	{name: "NerdHaxe-γ", boards: 1, chips: 6, chip: "BM1370", cooling: Air, source: nerdAxe},
	{name: "NerdOCTAXE+", boards: 1, chips: 8, chip: "BM1368", cooling: Air, source: nerdAxe},
	{name: "NerdOCTAXE-γ", boards: 1, chips: 8, chip: "BM1370", cooling: Air, source: nerdAxe},
	{name: "NerdEKO", boards: 1, chips: 12, chip: "BM1370", cooling: Air, source: nerdAxe},
}

// Machines of the firmware makers, and Antminers that ePIC's controller runs in
// pairs: pyasic (commit e2b9d357).
var makerHardware = []hardware{
	{make: "ePIC", name: "BlockMiner 520i", boards: 3, chips: 124, fans: 4, cooling: Air, source: peers},
	{make: "ePIC", name: "BlockMiner 720i", boards: 3, chips: 180, fans: 4, cooling: Air, source: peers},
	{make: "ePIC", name: "BlockMiner eLITE 1.0", boards: 3, chips: 105, fans: 4, cooling: Air, source: peers},
	{make: "Bitmain", name: "Antminer S19j Pro Dual", boards: 6, chips: 126, chip: "BM1362", fans: 8, cooling: Air, source: peers},
	{make: "Bitmain", name: "Antminer S19k Pro Dual", boards: 6, chips: 77, chip: "BM1366", fans: 8, cooling: Air, source: peers},
	{make: "Braiins", name: "Braiins BMM 100", boards: 1, chips: 1, fans: 1, cooling: Air, source: peers},
	{make: "Braiins", name: "Braiins BMM 101", boards: 1, chips: 1, fans: 1, cooling: Air, source: peers},
}
