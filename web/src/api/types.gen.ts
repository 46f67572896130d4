// Generated from docs/openapi.yaml by types.mjs. Do not edit.
export interface components {
  schemas: {
    AddSiteInputBody: {
      /** Short; letters, digits, spaces, dots and dashes. It never changes. */
      "name": string
      "ranges"?: (string)[] | null
      "title"?: string
      /** IANA time zone. */
      "zone"?: string
    }
    ApplyInputBody: {
      "machines": (number)[] | null
      /** Only say what would happen. */
      "preview"?: boolean
      "reason"?: string
    }
    CheckInputBody: {
      "layout": components['schemas']['SiteSite']
    }
    CommandBody: {
      /** Written, in the order of the machines that can take the wish. Empty for a preview. */
      "commands": (components['schemas']['LedgerCommand'])[] | null
      /** What the machines that can take it draw now. */
      "power_w": number
      /** Machines that cannot, with the reason; nothing is sent to them. */
      "refused": (components['schemas']['Refusal'])[] | null
      /** Machines that can take it. */
      "takes": number
    }
    CommandInputBody: {
      /** Seconds until it must be confirmed; 0 is the configured default. */
      "deadline_s"?: number
      "machines": (number)[] | null
      /** Only say what would happen. */
      "preview"?: boolean
      "reason"?: string
      "setting": components['schemas']['CommandWish']
    }
    CommandLife: {
      "command": components['schemas']['LedgerCommand']
      "events": (components['schemas']['LedgerCommandEvent'])[] | null
    }
    CommandWish: {
      "kind": "power" | "profile" | "mode" | "sleep" | "wake" | "reboot" | "restart" | "pools" | "locate"
      /** kind mode: low, normal or high */
      "mode"?: string
      /** kind locate */
      "on"?: boolean
      /** kind pools: replaces the list */
      "pools"?: (components['schemas']['MinerPoolSetting'])[] | null
      /** kind power: wall watts */
      "power_w"?: number
      /** kind profile: its name */
      "profile"?: string
    }
    EditInputBody: {
      "group"?: string
      "name"?: string
      "retired"?: boolean
    }
    ErrorDetail: {
      /** Where the error occurred, e.g. 'body.items[3].tags' or 'path.thing-id' */
      "location"?: string
      /** Error message text */
      "message"?: string
      /** The value at the given location */
      "value"?: unknown
    }
    ErrorModel: {
      /** A human-readable explanation specific to this occurrence of the problem. */
      "detail"?: string
      /** Optional list of individual error details */
      "errors"?: (components['schemas']['ErrorDetail'])[] | null
      /** A URI reference that identifies the specific occurrence of the problem. */
      "instance"?: string
      /** HTTP status code */
      "status"?: number
      /** A short, human-readable summary of the problem type. This value should not change between occurrences of the error. */
      "title"?: string
      /** A URI reference to human-readable documentation for the error. */
      "type"?: string
    }
    FleetAbsent: {
      "addr": string
      "place": string
      "why": "silent" | "refused" | "unknown"
    }
    FleetAddrRun: {
      "count": number
      "first": string
      "last": string
    }
    FleetPlaceConflict: {
      "kind": "claimed" | "other" | "by-hand" | "no-slot" | "nowhere"
      "machine": number
      /** The machine that has the slot. */
      "other"?: number
      /** The slot in question. */
      "place"?: string
      "why": string
    }
    FleetPollStats: {
      "backed_off": number
      "crowded": number
      "due": number
      "failed": number
      "in_flight": number
      "in_time": number
      "late_max_ns": number
      "machines": number
      "overrun": number
    }
    FleetProgress: {
      "elapsed_ns": number
      "identified": number
      "open": number
      "probed": number
      "refused": number
      "silent": number
      "total": number
      "unknown": number
    }
    FleetScanFound: {
      "addr": string
      "firmware"?: string
      "kind": "machine" | "locked" | "unknown"
      "mac"?: string
      "machine"?: number
      "make"?: string
      "model"?: string
      "new"?: boolean
      "note"?: string
      "place"?: string
      /** Counts up from 1 in a scan: ask with the last one for what came after. */
      "seq": number
      "version"?: string
    }
    FleetScanKind: {
      "firmware": string
      "locked": number
      "machines": number
      "make": string
      "model": string
    }
    FleetScanReport: {
      "actor": string
      "detail"?: string
      "end"?: "done" | "cancelled" | "failed" | "cut-off"
      "ended"?: string
      "id": number
      /** Machines by model and firmware, most first. */
      "kinds": (components['schemas']['FleetScanKind'])[] | null
      /** Machines that want a password nobody gave. */
      "locked": number
      /** Found and recognised. */
      "machines": number
      /** Slots of the layout whose machine was looked for and not found: at most 500. */
      "missing": (components['schemas']['FleetAbsent'])[] | null
      /** Machines that the record did not know before. */
      "new": number
      /** Addresses that answer and are no known miner: at most 500. */
      "others": (components['schemas']['FleetScanFound'])[] | null
      "progress": components['schemas']['FleetProgress']
      "ranges": (string)[] | null
      /** Runs of addresses where a host refuses: at most 500. */
      "refused": (components['schemas']['FleetAddrRun'])[] | null
      "running": boolean
      /** Runs of addresses that did not answer: at most 500. */
      "silent": (components['schemas']['FleetAddrRun'])[] | null
      "site": string
      "started": string
      /** Addresses that answer in no miner's dialect. */
      "unknown": number
    }
    FleetScanState: {
      "actor": string
      "detail"?: string
      "end"?: "done" | "cancelled" | "failed" | "cut-off"
      "ended"?: string
      "id": number
      /** Machines that want a password nobody gave. */
      "locked": number
      /** Found and recognised. */
      "machines": number
      /** Machines that the record did not know before. */
      "new": number
      "progress": components['schemas']['FleetProgress']
      "ranges": (string)[] | null
      "running": boolean
      "site": string
      "started": string
      /** Addresses that answer in no miner's dialect. */
      "unknown": number
    }
    HistoryBody: {
      "bucket_s": number
      "from": string
      /** What the answer was read from: raw rows or roll-ups. */
      "resolutions": (string)[] | null
      "series": (components['schemas']['Series'])[] | null
      /** Unix seconds at the start of each point. */
      "times": (number)[] | null
      "to": string
    }
    ImportInputBody: {
      /** What rows and indexes count from; auto finds out. */
      "base"?: "auto" | "0" | "1"
      /** For lines that name none. */
      "container"?: string
      /** Row numbers count from the top, as Foreman's do. */
      "from_top"?: boolean
      /** What it is read into: the layout that is being edited. */
      "layout": components['schemas']['SiteSite']
      /** The table, with a head line. */
      "text": string
    }
    Item: {
      /** Left out when changing: stays as it was for this address and user. */
      "password"?: string
      "url": string
      /** Worker name; {ip}, {ip3}, {ip4}, {mac}, {serial}, {name}, {id}, {container}, {rack} and {slot} are the machine's own. */
      "user": string
    }
    LayoutCheck: {
      "conflicts": (components['schemas']['FleetPlaceConflict'])[] | null
      /** Machines that saving it would move. */
      "moves": number
      /** Machines that it has a slot for. */
      "placed": number
      /** None: it can be saved. */
      "problems": (components['schemas']['SiteProblem'])[] | null
      "slots": number
    }
    LayoutImport: {
      "added": (string)[] | null
      "changes": (components['schemas']['SiteImportChange'])[] | null
      "check"?: components['schemas']['LayoutCheck']
      "columns": { [key: string]: string }
      /** Absent when there are problems. */
      "layout"?: components['schemas']['SiteSite']
      "lines": number
      "moved": number
      "notes": (string)[] | null
      "placed": number
      "problems": (components['schemas']['SiteProblem'])[] | null
      "replaced": number
      "same": number
      "skipped": number
    }
    LedgerCommand: {
      "actor": string
      "attempts": number
      "created_at": string
      "deadline"?: string
      "detail"?: string
      "id": string
      "idempotency_key"?: string
      "kind": string
      "machine": number
      "reason"?: string
      "setting": unknown
      "state": string
      "updated_at": string
    }
    LedgerCommandEvent: {
      "actor": string
      "at": string
      "command": string
      "detail"?: string
      "from"?: string
      "seq": number
      "to": string
    }
    LedgerGrant: {
      "role": string
      "site"?: string
    }
    LedgerMachine: {
      "addr"?: string
      "firmware"?: string
      "firmware_version"?: string
      "first_seen": string
      "group"?: string
      "hostname"?: string
      "id": number
      "last_seen": string
      "mac"?: string
      "make"?: string
      "model"?: string
      "name"?: string
      "place"?: components['schemas']['LedgerPlace']
      "placed"?: string
      "retired"?: string
      "serial"?: string
      "site"?: string
      "tags"?: (string)[] | null
    }
    LedgerPlace: {
      "building"?: string
      "container"?: string
      "rack"?: string
      "slot"?: string
    }
    ListBody: {
      "machines": (components['schemas']['Row'])[] | null
      /** Machines that fit, on all pages. */
      "total": number
    }
    LockedMachine: {
      "addr": string
      "firmware": string
      "group": string
      "id": number
      "name": string
      /** The one that it refused; none: nobody gave one. */
      "password"?: number
      "site": string
    }
    Machine: {
      "addr": string
      /** Newest first, the last 20. */
      "commands": (components['schemas']['LedgerCommand'])[] | null
      "condition": "hashing" | "degraded" | "starting" | "sleeping" | "down" | "silent" | "locked" | "unknown"
      "efficiency_j_per_th": number | null
      /** What it can be set to. */
      "envelope"?: components['schemas']['MinerEnvelope']
      "faults": number
      "firmware": string
      "group": string
      "hashrate_ths": number | null
      "id": number
      "last_poll"?: string
      "make": string
      /** Polls in a row without a reading. */
      "misses": number
      "model": string
      /** Given by an operator, else the host name, else the address. */
      "name": string
      "nominal_ths": number | null
      "place": string
      "power_w": number | null
      /** The last good reading. */
      "reading"?: components['schemas']['MinerReading']
      "record": components['schemas']['LedgerMachine']
      /** Unix seconds of the last answer; 0 is never. */
      "seen": number
      /** Unix seconds since when it is in this condition. */
      "since": number
      "site": string
      /** Hottest chip, else hottest board. */
      "temp_c": number | null
      /** Why the last poll gave no reading. */
      "trouble"?: string
      "warnings": number
    }
    MachinePassword: {
      "by": string
      /** Empty: all. */
      "firmware": string
      /** Empty: all. */
      "group": string
      "id": number
      /** Of these, machines that refuse it. */
      "locked": number
      /** Machines that are opened with it: it is the narrowest that fits. */
      "machines": number
      "note": string
      /** Addresses such as 10.20.0.0/16; empty: all. */
      "range": string
      /** Empty: all sites. */
      "site": string
      "updated": string
      /** User name, where the firmware has one. */
      "user": string
    }
    Me: {
      "full_name"?: string
      "grants": (components['schemas']['LedgerGrant'])[] | null
      /** Name of the API key, when a program asks. */
      "key"?: string
      "name": string
      /** What may be done at one site at least. */
      "rights": ("look" | "repair" | "command" | "configure" | "money" | "administer" | "portal")[] | null
    }
    MetricInfo: {
      "help": string
      "kind": "gauge" | "counter" | "elapsed"
      "level": "machine" | "board" | "fan" | "psu"
      "name": string
      "unit": string
    }
    MinerBoard: {
      "chip_summary"?: components['schemas']['MinerChipSummary']
      "chip_type"?: string
      "chips"?: number | null
      "chips_expected"?: number | null
      "current_a"?: number | null
      "enabled"?: boolean | null
      "frequency_hz"?: number | null
      "hashrate_nominal_ths"?: number | null
      "hashrate_ths"?: number | null
      "hw_error_ratio"?: number | null
      "hw_errors"?: number | null
      "index": number
      "power_w"?: number | null
      "present"?: boolean | null
      "serial"?: string
      "status"?: string
      "temp_board_c"?: number | null
      "temp_chip_max_c"?: number | null
      "temp_chip_mean_c"?: number | null
      "temp_chip_min_c"?: number | null
      "temp_inlet_c"?: number | null
      "temp_outlet_c"?: number | null
      "voltage_v"?: number | null
    }
    MinerChipSummary: {
      "count": number
      "dead"?: number | null
      "errors"?: number | null
      "errors_max"?: number | null
      "frequency_mean_hz"?: number | null
      "frequency_min_hz"?: number | null
      "hashrate_median_ths"?: number | null
      "hashrate_min_ths"?: number | null
      "hashrate_sd_ths"?: number | null
      "temp_max_c"?: number | null
      "temp_mean_c"?: number | null
      "temp_sd_c"?: number | null
      "voltage_mean_v"?: number | null
      "voltage_min_v"?: number | null
      "weak"?: number | null
    }
    MinerEnvelope: {
      "idle_w"?: number | null
      "kinds": (string)[] | null
      "power_default_w"?: number | null
      "power_max_w"?: number | null
      "power_min_w"?: number | null
      "settle": components['schemas']['MinerSettle']
      "source": string
      "steps"?: (components['schemas']['MinerStep'])[] | null
    }
    MinerFan: {
      "duty"?: number | null
      "index": number
      "name"?: string
      "psu"?: boolean
      "speed_rpm"?: number | null
    }
    MinerFault: {
      "code": number
      "group": string
      "index": number
      "severity": string
      "since"?: string
      "text"?: string
      "vendor"?: string
    }
    MinerIdentity: {
      "addr"?: string
      "api_version"?: string
      "control_board"?: string
      "firmware": string
      "firmware_version"?: string
      "hostname"?: string
      "mac"?: string
      "make"?: string
      "model"?: string
      "model_told"?: string
      "serial"?: string
    }
    MinerPSU: {
      "current_in_a"?: number | null
      "current_out_a"?: number | null
      "fan_rpm"?: number | null
      "index": number
      "model"?: string
      "power_in_w"?: number | null
      "power_out_w"?: number | null
      "present"?: boolean | null
      "serial"?: string
      "status"?: string
      "temp_c"?: number | null
      "temp_max_c"?: number | null
      "version"?: string
      "voltage_in_v"?: number | null
      "voltage_out_v"?: number | null
      "voltage_set_v"?: number | null
    }
    MinerPool: {
      "accepted"?: number | null
      "active"?: boolean | null
      "alive"?: boolean | null
      "difficulty"?: number | null
      "index": number
      "last_share"?: string | null
      "priority"?: number | null
      "rejected"?: number | null
      "stale"?: number | null
      "status"?: string
      "url": string
      "user"?: string
    }
    MinerPoolSetting: {
      "password"?: string
      "url": string
      "user": string
    }
    MinerReading: {
      "accepted"?: number | null
      "at": string
      "best_share"?: number | null
      "blocks_found"?: number | null
      "boards"?: (components['schemas']['MinerBoard'])[] | null
      "efficiency_j_per_th"?: number | null
      "envelope"?: components['schemas']['MinerEnvelope']
      "extra"?: { [key: string]: string }
      "fan_duty"?: number | null
      "fans"?: (components['schemas']['MinerFan'])[] | null
      "faults"?: (components['schemas']['MinerFault'])[] | null
      "flow_lpm"?: number | null
      "hashrate_average_ths"?: number | null
      "hashrate_nominal_ths"?: number | null
      "hashrate_now_ths"?: number | null
      "hw_error_ratio"?: number | null
      "hw_errors"?: number | null
      "identity": components['schemas']['MinerIdentity']
      "locating"?: boolean | null
      "miner_uptime_ns"?: number | null
      "mode"?: string
      "pools"?: (components['schemas']['MinerPool'])[] | null
      "power_limit_w"?: number | null
      "power_source"?: string
      "power_w"?: number | null
      "profile"?: string
      "psus"?: (components['schemas']['MinerPSU'])[] | null
      "rejected"?: number | null
      "stale"?: number | null
      "state": string
      "state_told"?: string
      "temp_ambient_c"?: number | null
      "temp_board_c"?: number | null
      "temp_chip_c"?: number | null
      "temp_inlet_c"?: number | null
      "temp_outlet_c"?: number | null
      "took_ns"?: number
      "tuning"?: string
      "uptime_ns"?: number | null
      "warnings"?: (components['schemas']['MinerWarning'])[] | null
    }
    MinerSetting: {
      "kind": string
      "mode"?: string
      "on"?: boolean
      "pools"?: (components['schemas']['MinerPoolSetting'])[] | null
      "power_w"?: number
      "profile"?: string
    }
    MinerSettle: {
      "adjust_ns": number
      "reboot_ns": number
      "sleep_ns": number
      "wake_ns": number
    }
    MinerStep: {
      "frequency_hz"?: number | null
      "hashrate_ths"?: number | null
      "name": string
      "power_w"?: number | null
      "setting": components['schemas']['MinerSetting']
      "tuned"?: boolean | null
      "voltage_v"?: number | null
    }
    MinerWarning: {
      "detail"?: string
      "kind": string
      "where": string
    }
    NetworksBody: {
      "networks": (string)[] | null
    }
    PasswordIDBody: {
      "id": number
    }
    PasswordTest: {
      "detail"?: string
      /** not-needed: this firmware lets everybody read, so only a command would show. */
      "fits": "yes" | "no" | "not-needed" | "unreachable"
    }
    PasswordWish: {
      "firmware"?: "antminer" | "whatsminer" | "avalon" | "braiins" | "luxos" | "vnish" | "epic" | "bitaxe" | "cgminer" | ""
      "group"?: string
      "note"?: string
      /** Left out when changing: stays. */
      "password"?: string
      "range"?: string
      "site"?: string
      "user"?: string
    }
    PasswordsBody: {
      /** Machines that answer and want a password, at most 1000. */
      "locked": (components['schemas']['LockedMachine'])[] | null
      "locked_total": number
      "passwords": (components['schemas']['MachinePassword'])[] | null
    }
    PlaceInputBody: {
      /** Where it stands; left out, the layout decides again. */
      "place"?: components['schemas']['LedgerPlace']
    }
    PlacedMachine: {
      "addr"?: string
      "id": number
      "mac"?: string
      "model"?: string
      "name": string
      /** Hall/C01/R02/7 */
      "place"?: string
      "placed"?: "hand" | "layout"
      "serial"?: string
    }
    PlacementBody: {
      "conflicts": (components['schemas']['FleetPlaceConflict'])[] | null
      /** Slots that no machine is in, at most 2000. */
      "empty": (string)[] | null
      "empty_total": number
      "machines": (components['schemas']['PlacedMachine'])[] | null
      "slots": number
    }
    PlantCooling: {
      "alarms"?: (string)[] | null
      "ambient_c"?: number | null
      "fans"?: (components['schemas']['PlantMotor'])[] | null
      "flow_lpm"?: number | null
      "level"?: number | null
      "power_w"?: number | null
      "pressure_return_bar"?: number | null
      "pressure_supply_bar"?: number | null
      "pumps"?: (components['schemas']['PlantMotor'])[] | null
      "return_c"?: number | null
      "running"?: boolean | null
      "setpoint_c"?: number | null
      "supply_c"?: number | null
    }
    PlantMeter: {
      "current_a": (number | null)[] | null
      "current_neutral_a"?: number | null
      "energy_export_j"?: number | null
      "energy_import_j"?: number | null
      "frequency_hz"?: number | null
      "import_since_j"?: number | null
      "power_factor"?: number | null
      "power_factor_phase": (number | null)[] | null
      "power_phase_w": (number | null)[] | null
      "power_w"?: number | null
      "voltage_line_v": (number | null)[] | null
      "voltage_v": (number | null)[] | null
    }
    PlantMotor: {
      "duty"?: number | null
      "index": number
      "running"?: boolean | null
      "speed_rpm"?: number | null
    }
    PlantOutlet: {
      "current_a"?: number | null
      "energy_j"?: number | null
      "index": number
      "name"?: string
      "on"?: boolean | null
      "power_factor"?: number | null
      "power_w"?: number | null
      "voltage_v"?: number | null
    }
    PlantPDU: {
      "energy_j"?: number | null
      "outlets"?: (components['schemas']['PlantOutlet'])[] | null
      "phases"?: (components['schemas']['PlantPDUPhase'])[] | null
      "power_factor"?: number | null
      "power_w"?: number | null
    }
    PlantPDUPhase: {
      "current_a"?: number | null
      "index": number
      "power_w"?: number | null
      "voltage_v"?: number | null
    }
    PlantReading: {
      "at": string
      "cooling"?: components['schemas']['PlantCooling']
      "error"?: string
      "kind": string
      "last_good"?: string
      "life_ns"?: number
      "meter"?: components['schemas']['PlantMeter']
      "pdu"?: components['schemas']['PlantPDU']
      "quality": string
      "source": string
      "took_ns"?: number
      "warnings"?: (components['schemas']['PlantWarning'])[] | null
      "weather"?: components['schemas']['PlantWeather']
    }
    PlantWarning: {
      "detail"?: string
      "kind": string
      "where": string
    }
    PlantWeather: {
      "humidity"?: number | null
      "pressure_bar"?: number | null
      "temperature_c"?: number | null
      "wet_bulb_c"?: number | null
    }
    PoolProfile: {
      "by": string
      /** Machines of this group are expected on it; empty: of all. */
      "group": string
      "id": number
      "name": string
      "pools": (components['schemas']['ProfilePool'])[] | null
      /** Machines of this site are expected on it; empty: of all. */
      "site": string
      "updated": string
    }
    PoolUse: {
      /** Shares, since each machine's miner started. */
      "accepted": number
      "account": string
      /** That get their work from it now. */
      "active": number
      "active_machines": (number)[] | null
      /** Machines that say it does not answer. */
      "dead": number
      "dead_machines": (number)[] | null
      /** Of the machines that are active on it. */
      "hashrate_ths": number
      /** That have it in their list. */
      "machines": number
      /** A profile that has it. */
      "profile"?: string
      /** Rejected over all that were answered. */
      "reject_ratio": number | null
      "rejected": number
      "stale": number
      /** Stale over all that were sent. */
      "stale_ratio": number | null
      "url": string
      /** One of them. */
      "worker": string
      /** Different worker names. */
      "workers": number
    }
    PoolsBody: {
      /** Machines that should hash and have no pool that takes their work. */
      "idle": number
      "now": string
      "pools": (components['schemas']['PoolUse'])[] | null
      /** Machines on an unexpected pool, at most 1000. */
      "stray": (components['schemas']['StrayMachine'])[] | null
      "stray_total": number
      /** Machines that tell their pools. */
      "told": number
    }
    ProfilePool: {
      "has_password": boolean
      "url": string
      "user": string
    }
    ProfileWish: {
      "group"?: string
      "name": string
      "pools": (components['schemas']['Item'])[] | null
      "site"?: string
    }
    Refusal: {
      "machine": number
      "why": string
    }
    Row: {
      "addr": string
      "condition": "hashing" | "degraded" | "starting" | "sleeping" | "down" | "silent" | "locked" | "unknown"
      "efficiency_j_per_th": number | null
      "faults": number
      "firmware": string
      "group": string
      "hashrate_ths": number | null
      "id": number
      "make": string
      "model": string
      /** Given by an operator, else the host name, else the address. */
      "name": string
      "nominal_ths": number | null
      "place": string
      "power_w": number | null
      /** Unix seconds of the last answer; 0 is never. */
      "seen": number
      /** Unix seconds since when it is in this condition. */
      "since": number
      "site": string
      /** Hottest chip, else hottest board. */
      "temp_c": number | null
      /** Why the last poll gave no reading. */
      "trouble"?: string
      "warnings": number
    }
    SaveSiteInputBody: {
      "layout": components['schemas']['SiteSite']
      "ranges": (string)[] | null
      "title": string
    }
    ScanFoundBody: {
      "found": (components['schemas']['FleetScanFound'])[] | null
      /** False for scans of long ago, of which only the report is kept. */
      "kept": boolean
    }
    ScanInputBody: {
      /** Address ranges such as 10.20.0.0/16; none: those of the configuration. */
      "ranges"?: (string)[] | null
    }
    Series: {
      "board"?: number
      /** The group, when grouped by a label. */
      "label"?: string
      "machine"?: number
      "metric": string
      "unit": string
      /** One for each time; null where nothing was measured. */
      "values": (number | null)[] | null
    }
    SetUpInputBody: {
      /** To sign in with. */
      "name": string
      /** At least 12 characters. */
      "password": string
      /** From the one-time link. */
      "token": string
    }
    SignInInputBody: {
      "name": string
      "password": string
    }
    Site: {
      /** Machines in each condition. */
      "conditions": { [key: string]: number }
      /** Power over hashrate of the machines that tell both. */
      "efficiency_j_per_th": number | null
      "faults": number
      /** Sum over machines that answer. */
      "hashrate_ths": number
      "hottest_c": number | null
      "machines": number
      "name": string
      /** Sum of what the firmwares expect at their present settings. */
      "nominal_ths": number
      "now": string
      "open_commands": number
      "polls": components['schemas']['FleetPollStats']
      /** Sum of what machines tell of themselves at the wall. */
      "power_w": number
      /** The scan that runs, else the last one. */
      "scan": components['schemas']['FleetScanState']
      /** The machines are simulated: none of these numbers is real. */
      "simulated": boolean
      /** From reply to disk. */
      "storing": components['schemas']['TelemetryBatcherStats']
      /** Hashing machines that do not tell their power: the sum lacks them. */
      "unmetered": number
      "version": string
      "zone": string
    }
    SiteBuilding: {
      "cap_w"?: number
      "containers"?: (components['schemas']['SiteContainer'])[] | null
      "feeder"?: string
      "loop"?: string
      "name": string
      "racks"?: (components['schemas']['SiteRack'])[] | null
    }
    SiteContainer: {
      "cap_w"?: number
      "feeder"?: string
      "loop"?: string
      "name": string
      "racks": (components['schemas']['SiteRack'])[] | null
    }
    SiteFeeder: {
      "cap_w"?: number
      "from"?: string
      "name": string
      "phases"?: number
      "voltage_v"?: number
    }
    SiteImportChange: {
      "from"?: string
      "instead"?: string
      "machine": string
      "to": string
    }
    SiteInfo: {
      /** At the grid connection. */
      "cap_w"?: number
      "jurisdiction"?: string
      "latitude"?: number
      "longitude"?: number
      "machines": number
      /** As grants, machines and metrics call it. */
      "name": string
      /** Machines that stand in one. */
      "placed": number
      /** Addresses that belong to it. */
      "ranges": (string)[] | null
      /** It is in the record, and can be edited. */
      "recorded": boolean
      /** That its layout describes. */
      "slots": number
      "tariff"?: string
      /** As people call it. */
      "title": string
      "zone"?: string
    }
    SiteLoop: {
      "cooling": string
      "fan_power_w"?: number
      "heat_w"?: number
      "hottest_c"?: number | null
      "name": string
      "source"?: string
      "supply_c"?: number | null
    }
    SiteMeter: {
      "feeder"?: string
      "name": string
      "pdu"?: string
      "source"?: string
    }
    SitePDU: {
      "cap_w"?: number
      "feeder": string
      "name": string
      "outlets"?: number
      "source"?: string
    }
    SiteProblem: {
      /** Where: a path such as feeders[1].cap, or a slot such as C01/R02/7. */
      "at": string
      /** In the text that was read; 0 when there was none. */
      "line"?: number
      "what": string
    }
    SiteRack: {
      "addresses"?: string
      "columns"?: number
      "feeder"?: string
      "loop"?: string
      "machines"?: (components['schemas']['SiteSlot'])[] | null
      "name": string
      "pdu"?: string
      "slots": number
    }
    SiteRecord: {
      /** The owner's description: buildings, containers, racks, feeders, PDUs, meters, loops. */
      "layout": components['schemas']['SiteSite']
      /** As grants, machines and metrics call it; it never changes. */
      "name": string
      /** Addresses that belong to it, such as 10.20.0.0/16. No two sites share any. */
      "ranges": (string)[] | null
      /** As people call it. */
      "title": string
      /** Send it back as If-Match when saving. */
      "version": number
    }
    SiteSite: {
      "buildings"?: (components['schemas']['SiteBuilding'])[] | null
      "cap_w"?: number
      "containers"?: (components['schemas']['SiteContainer'])[] | null
      "feeders"?: (components['schemas']['SiteFeeder'])[] | null
      "jurisdiction"?: string
      "latitude"?: number
      "longitude"?: number
      "loops"?: (components['schemas']['SiteLoop'])[] | null
      "meters"?: (components['schemas']['SiteMeter'])[] | null
      "name": string
      "pdus"?: (components['schemas']['SitePDU'])[] | null
      "tariff"?: string
      "zone"?: string
    }
    SiteSlot: {
      "addr"?: string
      "mac"?: string
      "outlet"?: number
      "serial"?: string
      "slot": number
    }
    StartScanInputBody: {
      /** The ranges belong to the site from now on, and are scanned again from time to time. */
      "keep"?: boolean
      /** Address ranges such as 10.20.0.0/16; none: those of the site. */
      "ranges"?: (string)[] | null
      "site": string
    }
    StrayMachine: {
      "id": number
      "name": string
      /** Where it should be. */
      "profile": string
      "site": string
      "url": string
      "worker": string
    }
    TelemetryAge: {
      "rows": number
      "upto_ns": number
    }
    TelemetryBatcherStats: {
      "batches": number
      "dropped": number
      "failures": number
      "last_error"?: string
      "max_ns": number
      "p50_ns": number
      "p99_ns": number
      "stored": number
      "waiting": number
    }
    TelemetryEngineStats: {
      "memory_bytes": number
      "name": string
      "version": string
    }
    TelemetrySizeAt: {
      "bytes": number
      "files": number
      "resolution": string
    }
    TelemetryStats: {
      "board_rows": number
      "bytes": number
      "bytes_at": (components['schemas']['TelemetrySizeAt'])[] | null
      "damaged": (string)[] | null
      "days": number
      "engine": components['schemas']['TelemetryEngineStats']
      "first"?: string
      "last"?: string
      "last_appended": string
      "machine_days": number
      "machine_rows": number
      "machines": number
      "per_day": number
      "refused": number
      "skipped": number
    }
    TestPasswordInputBody: {
      /** A password that is kept, */
      "id"?: number
      "machine": number
      /** or one that is not kept yet. */
      "password"?: string
      "user"?: string
    }
  }
}
