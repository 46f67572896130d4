// Package braiins drives machines that run Braiins OS or OS+ (Antminers, a few
// Whatsminers, Braiins' own mini miners), in the three generations of its
// interface. Which one a machine has is found out by asking it:
//
//	REST     HTTP 80, /api/v1/...          BOS 25.07 and later
//	gRPC     TCP 50051, braiins.bos.v1     BOS 23.08 to 25.05 (API 1.0.0-beta.2 on), when credentials are given
//	BOSminer TCP 4028 and HTTP 80 /graphql everything older, and 23.08 to 25.05 without credentials or with 50051 closed
//
// # Replies
//
// REST and gRPC tell the same things under the same names, so they share one
// parser; gRPC replies are turned into the JSON that REST would have sent. Reply
// names are the paths with "/" as "_":
//
//	miner_details miner_stats miner_hw_hashboards cooling_state    at each reading
//	performance_tuner_state pools                                  every third
//	miner_errors                                                   every sixth
//	actions_locate                                                 every tenth
//	network version configuration_miner configuration_constraints
//	performance_target_profiles license_license                    every 30th
//
// and miner_status with firmwares whose details lack the status (before 24.03).
// After a setting was acknowledged all are asked again, and those up to every
// tenth at each of the next twelve readings.
//
// BOSminer's replies are those of the cgminer API with temps, fans, tempctrl and
// tunerstatus beside summary, devs, devdetails, pools, version and config. They
// come combined: "bosminer" at each reading, "bosminer_config" every 30th. From
// GraphQL come graphql_errors every tenth, graphql_system, graphql_limits and
// graphql_events every 30th, and from LuCI, where GraphQL knows no MAC address
// (22.08), iface_status. GraphQL replies of any other selection are read by
// their content, as is every reply under another name, a whole set in one file,
// and JSON in protobuf's camelCase.
//
// # What it can set
//
//	           REST and gRPC                        BOSminer
//	power      power target, within constraints     autotuning.powerTarget (GraphQL)
//	profile    a tuned profile: "3031W", "120TH/s"  -
//	mode       -                                    -
//	sleep      pause                                pause (4028)
//	wake       resume, or start when stopped        resume (4028)
//	reboot, restart, pools, locate                  GraphQL
//
// A machine that was told to stop (BOSminer not running) reads as sleeping: it
// was somebody's will. Suspended is the firmware's own decision and reads as
// stopped. Before 24.03 without gRPC the firmware does not say that it is
// paused; a machine at no hashrate and no power is then taken to be asleep.
//
// Power is the firmware's own approximation, never measured. Error lists are
// logs that outlive restarts: what happened before the present run of the miner,
// or more than an hour before its last sign of life, is kept as information.
//
// # Credentials
//
// REST, gRPC and GraphQL ask for a user and a password, and give a token that
// lives for an hour after its last use. The cgminer API asks for nothing: an old
// release is read without credentials as far as that goes, but not changed, for
// although it would pause for anybody, who changes a machine shall have its
// password. Version and model are told to anybody. No password is ever guessed: a user
// name without a password is the sign-in of a machine that has none set. A
// password without a user name belongs to "root", the firmware's only account.
//
// # Sources
//
// The OpenAPI description that the firmware serves under
// /api/v1/docs/openapi.json (25.07 and 26.04), its GraphQL schemas (21.09 to
// 25.05.1), the BOSminer API page of docs.braiins.com, and the public gRPC
// interface (github.com/braiins/bos-plus-api). That repository's .proto files
// are under GPL-3.0: none of them is copied here and no code is generated from
// them. The few field numbers that the wire needs are in our own tables
// (protobuf.go), as facts of an interface.
package braiins
