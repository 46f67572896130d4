package miner

// MicroBT sells one type in many hardware revisions, and a type's firmware
// tells which ("M30S+_VE40"); boards and chips belong to the revision, so each
// is a row. "VK30:245" is 245 chips a board, "VK40:215x4" says that this
// revision has 4 boards, "V30:?" that no source knows. A type's nameplate is its
// best-known bin.
//
// Boards, chips and fans: the device tables of pyasic (commit e2b9d357) and
// asic-rs (commit fdcd1018), which agree wherever both know a revision.
var microbtHardware = []hardware{
	{name: "Whatsminer M20", boards: 3, fans: 2, cooling: Air, source: peers, revisions: "V10:70"},
	{name: "Whatsminer M20P", boards: 3, fans: 2, cooling: Air, source: peers, revisions: "V10:156 V30:148"},
	{name: "Whatsminer M20S", boards: 3, fans: 2, cooling: Air, source: peers, bins: bins{{68, 3360, listed}}, revisions: "V10:105 V20:111 V30:140"},
	{name: "Whatsminer M20S+", boards: 3, fans: 2, cooling: Air, source: peers, revisions: "V30:?"},
	{name: "Whatsminer M21", boards: 3, fans: 2, cooling: Air, source: peers, bins: bins{{31, 1860, listed}}, revisions: "V10:33"},
	{name: "Whatsminer M21S", boards: 3, fans: 2, cooling: Air, source: peers, bins: bins{{56, 3360, listed}}, revisions: "V20:66 V60:105 V70:111"},
	{name: "Whatsminer M21S+", boards: 3, fans: 2, cooling: Air, source: peers, revisions: "V20:?"},
	{name: "Whatsminer M29", boards: 3, fans: 2, cooling: Air, source: peers, revisions: "V10:50"},
	{name: "Whatsminer M30", boards: 3, fans: 2, cooling: Air, source: peers, revisions: "V10:105 V20:111"},
	{name: "Whatsminer M30K", boards: 4, fans: 2, cooling: Air, source: peers, revisions: "V10:240"},
	{name: "Whatsminer M30L", boards: 4, fans: 2, cooling: Air, source: peers, revisions: "V10:144"},
	{name: "Whatsminer M30S", boards: 3, fans: 2, cooling: Air, source: peers, bins: bins{{88, 3344, seeded}}, revisions: "V10:148 V20:156 V30:164 V40:172 V50:156 V60:164 V70:? V80:129 VE10:105 VE20:111 VE30:117 VE40:123 VE50:129 VE60:? " +
		"VE70:? VF10:70 VF20:74 VF30:78 VG10:66 VG20:70 VG30:74 VG40:78 VH10:64 VH20:66 VH30:? VH40:64 VH50:66 VH60:70 VI20:70 " +
		"VJ30:105"},
	{name: "Whatsminer M30S+", boards: 3, fans: 2, cooling: Air, source: peers, bins: bins{{100, 3400, seeded}}, revisions: "V10:215 V100:215 V20:255 V30:? V40:235 V50:225 V60:245 V70:235 V80:245 V90:225 VA0:215 VE100:? VE30:148 VE40:156 " +
		"VE50:164 VE60:172 VE70:? VE80:? VE90:? VF20:111 VF30:117 VG20:82 VG30:78 VG40:105 VG50:111 VG60:86 VH10:64 VH20:66 " +
		"VH30:70 VH40:74 VH50:64 VH60:66 VH70:70 VI30:86 VJ30:105 VJ40:117"},
	{name: "Whatsminer M30S++", boards: 3, fans: 2, cooling: Air, source: peers, bins: bins{{112, 3472, listed}}, revisions: "V10:255x4 V20:255x4 VE30:215 VE40:225 VE50:235 VF40:156 VG30:111 VG40:117 VG50:123 VH10:82 VH100:82 VH110:105 VH20:86 " +
		"VH30:111 VH40:70 VH50:74 VH60:78 VH70:70 VH80:74 VH90:78 VHA0:82 VHB0:105 VI30:111 VJ20:70 VJ30:74 VJ50:82 VJ60:111 " +
		"VJ70:117 VK20:78 VK30:74x2 VK40:105"},
	{name: "Whatsminer M31", boards: 3, fans: 2, cooling: Air, source: peers, revisions: "V10:70 V20:74"},
	{name: "Whatsminer M31H", boards: 3, fans: 2, cooling: Air, source: peers, revisions: "V10:114 V40:136x4"},
	{name: "Whatsminer M31L", boards: 4, fans: 2, cooling: Air, source: peers, revisions: "V10:144"},
	{name: "Whatsminer M31S", boards: 3, fans: 2, cooling: Air, source: peers, bins: bins{{76, 3344, listed}}, revisions: "V10:105 V20:111 V30:117 V40:123 V50:78 V60:105 V70:111 V80:? V90:117 VE10:70 VE20:74 VE30:?"},
	{name: "Whatsminer M31SE", boards: 3, fans: 2, cooling: Air, source: peers, revisions: "V10:82 V20:78 V30:78"},
	{name: "Whatsminer M31S+", boards: 3, fans: 2, cooling: Air, source: peers, bins: bins{{80, 3360, listed}}, revisions: "V10:105 V100:111 V20:111 V30:117 V40:123 V50:148 V60:156 V80:129 V90:117 VA0:111 VE10:82 VE20:78 VE30:105 VE40:111 " +
		"VE50:117 VE60:? VE80:? VF20:66 VF30:? VG20:66 VG30:70"},
	{name: "Whatsminer M32", boards: 3, fans: 2, cooling: Air, source: peers, bins: bins{{62, 3348, listed}}, revisions: "V10:78 V20:74"},
	{name: "Whatsminer M32S", cooling: Air, bins: bins{{66, 3432, listed}}},
	{name: "Whatsminer M33", boards: 3, cooling: Hydro, source: peers, revisions: "V10:33 V20:62 V30:66"},
	{name: "Whatsminer M33S", boards: 4, cooling: Hydro, source: peers, revisions: "VG30:116"},
	{name: "Whatsminer M33S+", boards: 4, cooling: Hydro, source: peers, revisions: "VG20:112 VG30:162 VH20:100 VH30:?"},
	{name: "Whatsminer M33S++", boards: 4, cooling: Hydro, source: peers, bins: bins{{242, 7260, listed}}, revisions: "VG40:174 VH20:112 VH30:?"},
	{name: "Whatsminer M34S+", boards: 4, source: peers, revisions: "VE10:116"},
	{name: "Whatsminer M36S", boards: 4, cooling: Immersion, source: peers, revisions: "VE10:114"},
	{name: "Whatsminer M36S+", boards: 4, cooling: Immersion, source: peers, revisions: "VG30:108"},
	{name: "Whatsminer M36S++", boards: 4, cooling: Immersion, source: peers, revisions: "VH30:80"},
	{name: "Whatsminer M39", boards: 3, source: peers, revisions: "V10:50 V20:54 V30:68"},
	{name: "Whatsminer M50", boards: 3, fans: 2, cooling: Air, source: peers, bins: bins{{114, 3306, listed}}, revisions: "VE30:255x4 VG30:156 VH10:86 VH20:111 VH30:117 VH40:84 VH50:105 VH60:84 VH70:105 VH80:111 VH90:117 VJ10:86 VJ20:111 " +
		"VJ30:117 VJ40:123 VJ60:164 VK40:111 VK50:117"},
	{name: "Whatsminer M50S", boards: 3, fans: 2, cooling: Air, source: peers, bins: bins{{126, 3276, listed}}, revisions: "VH10:? VH20:135 VH30:156 VH40:148 VH50:135 VJ10:111 VJ20:117 VJ30:123 VJ40:129 VJ50:135 VK10:78 VK20:111 VK30:117 " +
		"VK50:105 VK60:111 VK70:123 VK80:86 VL10:74 VL20:78 VL30:82"},
	{name: "Whatsminer M50S+", boards: 3, fans: 2, cooling: Air, source: peers, bins: bins{{148, 3404, listed}}, revisions: "VH30:172 VH40:180 VJ30:156 VJ40:164 VJ60:164 VK10:111 VK20:117 VK30:123 VL10:82 VL20:86 VL30:105"},
	{name: "Whatsminer M50S++", boards: 3, fans: 2, cooling: Air, source: peers, bins: bins{{150, 3306, listed}}, revisions: "VK10:117 VK20:123 VK30:156 VK40:129 VK50:135 VK60:111 VL10:82 VL20:86 VL30:111 VL40:117 VL50:105 VL60:111"},
	{name: "Whatsminer M51S+", boards: 3, fans: 2, cooling: Air, source: peers, revisions: "VL30:117"},
	{name: "Whatsminer M52S", boards: 4, source: peers, revisions: "VK30:62"},
	{name: "Whatsminer M52S++", boards: 4, source: peers, revisions: "VL10:87"},
	{name: "Whatsminer M53", boards: 4, cooling: Hydro, source: peers, bins: bins{{230, 6670, listed}}, revisions: "VH30:128 VH40:174 VH50:162 VK30:100 VK60:100"},
	{name: "Whatsminer M53H", boards: 4, cooling: Hydro, source: peers, revisions: "VH10:56"},
	{name: "Whatsminer M53S", boards: 4, cooling: Hydro, source: peers, bins: bins{{260, 6760, listed}}, revisions: "VH20:198 VH30:204 VH40:228 VJ30:180 VJ40:192 VJ50:228 VK30:128"},
	{name: "Whatsminer M53S+", boards: 4, cooling: Hydro, source: peers, revisions: "VJ30:240 VJ40:248 VJ50:264 VK30:168"},
	{name: "Whatsminer M53S++", boards: 4, cooling: Hydro, source: peers, bins: bins{{320, 7040, listed}}, revisions: "VK10:198 VK20:192 VK30:240 VK50:186 VK70:216 VL10:128 VL30:174 VL40:168 VL60:128 VL80:144"},
	{name: "Whatsminer M54S", boards: 4, cooling: Hydro, source: peers, revisions: "VH30:120 VK30:102"},
	{name: "Whatsminer M54S+", boards: 4, cooling: Hydro, source: peers, revisions: "VL30:84"},
	{name: "Whatsminer M54S++", boards: 4, cooling: Hydro, source: peers, revisions: "VK30:96 VL30:68 VL40:90"},
	{name: "Whatsminer M56", boards: 4, cooling: Immersion, source: peers, bins: bins{{194, 5550, listed}}, revisions: "VH30:108"},
	{name: "Whatsminer M56S", boards: 4, cooling: Immersion, source: peers, bins: bins{{212, 5550, listed}}, revisions: "VH30:152 VJ30:132 VJ40:152"},
	{name: "Whatsminer M56S+", boards: 4, cooling: Immersion, source: peers, bins: bins{{224, 5376, listed}}, revisions: "VJ30:176 VK30:108 VK40:114 VK50:120"},
	{name: "Whatsminer M56S++", boards: 4, cooling: Immersion, source: peers, bins: bins{{254, 5588, listed}}, revisions: "VK10:160 VK30:176 VK40:132 VK50:152"},
	{name: "Whatsminer M59", boards: 4, source: peers, revisions: "VH30:132"},
	{name: "Whatsminer M60", boards: 3, fans: 2, cooling: Air, source: peers, bins: bins{{172, 3422, listed}}, revisions: "VK10:164 VK20:172 VK30:215 VK40:180 VK6A:172 VL10:111 VL20:117 VL30:123 VL40:129 VL50:135 VM40:82"},
	{name: "Whatsminer M60S", boards: 3, fans: 2, cooling: Air, source: peers, bins: bins{{186, 3441, listed}}, revisions: "VK10:215 VK20:235 VK30:245 VK40:225 VK60:188 VK70:196 VK80:225 VK90:192 VL10:147 VL20:164 VL30:172 VL40:180 VL50:188 " +
		"VL60:196 VL70:141 VL80:135 VL90:141 VM20:78 VM40:86"},
	{name: "Whatsminer M60S+", boards: 3, fans: 2, cooling: Air, source: peers, bins: bins{{212, 3600, listed}}, revisions: "VK30:245 VK40:215x4 VK50:225x4 VK60:294 VK70:306 VL10:196 VL100:176 VL20:147 VL30:225 VL40:188 VL50:180 VL60:172 " +
		"VL70:225 VL80:180 VL90:184 VLA0:176 VLB0:164 VM20:82 VM30:86 VM40:90 VM50:98"},
	{name: "Whatsminer M60S++", boards: 3, fans: 2, cooling: Air, source: peers, bins: bins{{226, 3600, listed}}, revisions: "VL10:204 VL20:215 VL30:225 VL40:235 VL50:245 VL60:196 VL70:294 VL80:196 VL90:204 VLA0:215 VLB0:245 VM30:117 VM40:123 " +
		"VM50:129 VM60:135 VM70:141"},
	{name: "Whatsminer M61", boards: 3, fans: 2, cooling: Air, source: peers, bins: bins{{202, 4000, listed}}, revisions: "VK10:180 VK20:184 VK30:188 VK40:192 VK60:188 VK70:172 VL10:135 VL30:141 VL40:144 VL50:147 VL60:150"},
	{name: "Whatsminer M61S", boards: 3, fans: 2, cooling: Air, source: peers, bins: bins{{216, 4320, listed}}, revisions: "VK20:225 VK30:235 VL10:164 VL20:172 VL30:180 VL60:180 VL70:147 VL90:225 VM30:117"},
	{name: "Whatsminer M61S+", boards: 3, fans: 2, cooling: Air, source: peers, bins: bins{{236, 4012, listed}}, revisions: "VL20:204 VL30:225"},
	{name: "Whatsminer M62S+", boards: 3, source: peers, revisions: "VK30:430"},
	{name: "Whatsminer M62S++", boards: 3, source: peers, revisions: "VM30:132"},
	{name: "Whatsminer M63", boards: 4, cooling: Hydro, source: peers, bins: bins{{334, 6646, listed}}, revisions: "VK10:256 VK20:264 VK30:272 VL10:174 VL20:204 VL30:216 VL40:180 VL60:216 VL70:174"},
	{name: "Whatsminer M63S", boards: 4, cooling: Hydro, source: peers, bins: bins{{390, 7215, listed}}, revisions: "VK10:340 VK20:350 VK30:370 VK40:288 VK50:300 VK60:350 VK70:340 VK80:288 VK90:304 VKA0:272 VL10:228 VL20:216 VL30:272 " +
		"VL40:204 VL50:288 VL60:288 VL70:228 VL80:240 VL90:128 VLA0:256 VM30:132"},
	{name: "Whatsminer M63S+", boards: 4, cooling: Hydro, source: peers, bins: bins{{424, 7208, listed}}, revisions: "VK30:456 VL10:304 VL20:340 VL30:370 VL40:228 VL50:272 VL60:304 VL70:240 VL80:256 VL90:256 VLA0:228 VLC0:222 VLD0:340 " +
		"VM30:136 VM40:144"},
	{name: "Whatsminer M63S++", boards: 4, cooling: Hydro, source: peers, bins: bins{{464, 7200, listed}}, revisions: "VL10:360 VL20:380 VL40:304 VL50:340 VL60:380 VL70:288 VM10:152 VM20:186 VM30:198"},
	{name: "Whatsminer M64", boards: 4, cooling: Hydro, source: peers, bins: bins{{204, 4059, listed}}, revisions: "VL20:96 VL30:114 VL40:120"},
	{name: "Whatsminer M64S", boards: 4, cooling: Hydro, source: peers, revisions: "VL10:114 VL20:120 VL30:152"},
	{name: "Whatsminer M64S+", cooling: Hydro, bins: bins{{236, 4012, listed}}},
	{name: "Whatsminer M64S++", boards: 4, cooling: Hydro, source: peers, revisions: "VM30:96"},
	{name: "Whatsminer M65S", boards: 4, cooling: Hydro, source: peers, bins: bins{{390, 7308, listed}}, revisions: "VK20:350 VL60:288"},
	{name: "Whatsminer M65S+", boards: 4, cooling: Hydro, source: peers, bins: bins{{440, 7480, listed}}, revisions: "VK30:456 VL20:340"},
	{name: "Whatsminer M66", boards: 4, cooling: Immersion, source: peers, bins: bins{{280, 5572, listed}}, revisions: "VK20:184 VK30:192 VK60:176 VL20:160 VL30:168"},
	{name: "Whatsminer M66S", boards: 4, cooling: Immersion, source: peers, bins: bins{{298, 5513, listed}}, revisions: "VK20:368x3 VK30:384x3 VK40:240 VK50:250 VK60:250 VK70:210 VK80:220 VL10:168 VL20:176 VL30:192 VL40:200 VL50:210 " +
		"VL80:160"},
	{name: "Whatsminer M66S+", boards: 4, cooling: Immersion, source: peers, bins: bins{{318, 5406, listed}}, revisions: "VK30:440x3 VL10:220 VL20:230 VL30:240 VL40:250 VL50:200 VL60:200 VL70:230 VL80:250"},
	{name: "Whatsminer M66S++", boards: 4, cooling: Immersion, source: peers, bins: bins{{356, 5518, listed}}, revisions: "VL20:368x3 VL40:288x3 VL50:240 VL60:250 VL70:250 VL80:230 VM30:138"},
	{name: "Whatsminer M67S", boards: 3, source: peers, revisions: "VK30:440"},
	{name: "Whatsminer M69", boards: 4, source: peers, revisions: "VK30:228"},
	{name: "Whatsminer M69S++", boards: 8, source: peers, revisions: "VM30:228"},
	{name: "Whatsminer M70", boards: 3, fans: 2, cooling: Air, source: peers, bins: bins{{214, 3140, listed}}, revisions: "VL20:245 VL30:255 VM10:135 VM20:141 VM30:147 VM80:147"},
	{name: "Whatsminer M70S", boards: 3, fans: 2, cooling: Air, source: peers, bins: bins{{226, 3140, listed}}, revisions: "VM30:204"},
	{name: "Whatsminer M70S+", boards: 3, fans: 2, cooling: Air, source: peers, bins: bins{{244, 3140, listed}}, revisions: "VM30:245"},
	{name: "Whatsminer M72", boards: 3, source: peers, bins: bins{{246, 4000, listed}}, revisions: "VM30:174"},
	{name: "Whatsminer M72S", boards: 3, source: peers, bins: bins{{264, 4000, listed}}, revisions: "VM30:234"},
	{name: "Whatsminer M73", boards: 4, cooling: Hydro, source: peers, bins: bins{{470, 7200, listed}}, revisions: "VL30:380 VM20:216 VM30:228 VM70:204"},
	{name: "Whatsminer M73S", boards: 4, cooling: Hydro, source: peers, bins: bins{{500, 7200, listed}}, revisions: "VM30:304"},
	{name: "Whatsminer M73S+", boards: 4, cooling: Hydro, source: peers, bins: bins{{540, 7200, seeded}}, revisions: "VM40:380"},
	{name: "Whatsminer M76", boards: 3, cooling: Immersion, source: peers, bins: bins{{336, 5200, listed}}, revisions: "VL30:384 VM30:176"},
	{name: "Whatsminer M76S", boards: 3, cooling: Immersion, source: peers, bins: bins{{362, 5200, listed}}, revisions: "VM30:240"},
	{name: "Whatsminer M76S+", cooling: Immersion, bins: bins{{390, 5200, seeded}}},
	{name: "Whatsminer M78", cooling: Immersion, bins: bins{{440, 7000, listed}}},
	{name: "Whatsminer M78S", boards: 3, cooling: Immersion, source: peers, bins: bins{{472, 6550, listed}}, revisions: "VM30:384"},
	{name: "Whatsminer M79S", boards: 8, cooling: Hydro, source: peers, revisions: "VM30:304"},
}
