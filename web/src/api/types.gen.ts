// Generated from docs/openapi.yaml by types.mjs. Do not edit.
export interface components {
  schemas: {
    AckWish: {
      /** What you are about to do, for those who look later. */
      "note"?: string
    }
    AlarmBody: {
      "ack_note"?: string
      /** 0 while nobody took it on. */
      "acked_at": number
      "acked_by"?: string
      /** Machines or devices in trouble now. */
      "active": number
      "cause": string
      /** What its members have in common: container, rack, PDU, network segment, firmware, site; alone for a single machine. */
      "cause_by": string
      "class": "gone" | "unread" | "work" | "heat" | "pool" | "change" | "load" | "gear" | "self"
      "deliveries": (components['schemas']['AlarmDelivery'])[] | null
      /** 0 while open. */
      "ended": number
      /** Its life, oldest first. */
      "events": (components['schemas']['LedgerAlarmEvent'])[] | null
      "flapping": boolean
      /** The alarm that it was split from. */
      "from"?: number
      /** What the instruments say. */
      "hint"?: string
      "id": number
      /** The alarm that it was merged into. */
      "into"?: number
      "means": string
      "members": (components['schemas']['AlarmMember'])[] | null
      "opened": number
      /** Most at once. */
      "peak": number
      "phase": "open" | "resolved" | "merged"
      "press": string
      /** Why nobody is told: a silence or a maintenance window. */
      "quiet"?: string
      /** Times it came back soon after it ended. */
      "reopened": number
      "rule": number
      "safe": string
      "severity": "info" | "minor" | "major" | "critical"
      /** Unix seconds when the first of it began. */
      "since": number
      "site": string
      "title": string
      /** That should work where the cause is; those off on purpose do not count. */
      "total": number
    }
    AlarmDelivery: {
      /** What the receiver said last. */
      "answer"?: string
      "at": number
      "attempts": number
      "receiver": number
      "state": "waiting" | "delivered" | "failed"
      "title": string
      "what": "trigger" | "acknowledge" | "resolve" | "report"
    }
    AlarmEscalation: {
      "ends": boolean
      "id": number
      "off"?: boolean
      "quiet"?: components['schemas']['AlarmQuiet']
      "severities": (string)[] | null
      "sites"?: (string)[] | null
      "steps": (components['schemas']['AlarmStep'])[] | null
      "title": string
    }
    AlarmMatch: {
      "buildings"?: (string)[] | null
      "containers"?: (string)[] | null
      "firmwares"?: (string)[] | null
      "groups"?: (string)[] | null
      "models"?: (string)[] | null
      "racks"?: (string)[] | null
      "sites"?: (string)[] | null
      "subjects"?: (string)[] | null
    }
    AlarmMember: {
      "detail": string
      /** Unix seconds since when it is well again; 0 while it is not. */
      "left": number
      /** Its number, when it is a machine. */
      "machine"?: number
      "name": string
      "place"?: string
      /** Times it was raised in the last two hours. */
      "raises": number
      "rule": number
      "severity": string
      "since": number
      /** Held: nothing new is known of it. */
      "stale": boolean
      "subject": string
      "unit": string
      "value": number
      "watch": string
      /** Why it left. */
      "why"?: string
    }
    AlarmQuiet: {
      "below"?: string
      "from"?: string
      "to"?: string
      "zone"?: string
    }
    AlarmRow: {
      "ack_note"?: string
      /** 0 while nobody took it on. */
      "acked_at": number
      "acked_by"?: string
      /** Machines or devices in trouble now. */
      "active": number
      "cause": string
      /** What its members have in common: container, rack, PDU, network segment, firmware, site; alone for a single machine. */
      "cause_by": string
      "class": "gone" | "unread" | "work" | "heat" | "pool" | "change" | "load" | "gear" | "self"
      /** 0 while open. */
      "ended": number
      "flapping": boolean
      /** The alarm that it was split from. */
      "from"?: number
      /** What the instruments say. */
      "hint"?: string
      "id": number
      /** The alarm that it was merged into. */
      "into"?: number
      "means": string
      "opened": number
      /** Most at once. */
      "peak": number
      "phase": "open" | "resolved" | "merged"
      "press": string
      /** Why nobody is told: a silence or a maintenance window. */
      "quiet"?: string
      /** Times it came back soon after it ended. */
      "reopened": number
      "rule": number
      "safe": string
      "severity": "info" | "minor" | "major" | "critical"
      /** Unix seconds when the first of it began. */
      "since": number
      "site": string
      "title": string
      /** That should work where the cause is; those off on purpose do not count. */
      "total": number
    }
    AlarmRule: {
      "clear": number
      "clear_after_s": number
      "faults"?: (string)[] | null
      "id": number
      "key"?: string
      "match"?: components['schemas']['AlarmMatch']
      "means": string
      "off"?: boolean
      "press": string
      "raise": number
      "raise_after_s": number
      "safe": string
      "severity": string
      "title": string
      "watch": string
    }
    AlarmRuleState: {
      "can_not": number
      "excused": number
      "judged": number
      "off": number
      "pending": number
      "raised": number
    }
    AlarmSilence: {
      "alarm"?: number
      "by": string
      "created": string
      "ended"?: string
      "ended_by"?: string
      "id": number
      "match"?: components['schemas']['AlarmMatch']
      "most"?: string
      "reason": string
      "rules"?: (number)[] | null
      "until": string
    }
    AlarmStep: {
      "after_min": number
      "receivers": (number)[] | null
    }
    AlarmWatchInfo: {
      "about": string
      /** Raised above its level; else below. */
      "above": boolean
      "class": string
      /** What the rule is held against. */
      "of": "machine" | "device" | "cap" | "ballast"
      /** Of its levels; empty is yes (1) or no (0). */
      "unit": string
      "watch": string
    }
    AlarmWindow: {
      "days"?: (number)[] | null
      "from"?: string
      "id": number
      "match"?: components['schemas']['AlarmMatch']
      "minutes"?: number
      "off"?: boolean
      "start"?: string
      "title": string
      "to"?: string
      "zone": string
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
    LedgerAlarmEvent: {
      "actor"?: string
      "alarm": number
      "at": string
      "detail"?: string
      "kind": string
      "seq": number
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
    NotifySettings: {
      /** email: certificate (PEM) of a mail server that no public authority vouches for */
      "ca"?: string
      /** telegram: chat id or @channel */
      "chat"?: string
      /** email: sender */
      "from"?: string
      /** email: the mail server */
      "host"?: string
      "kind": "email" | "webhook" | "slack" | "telegram" | "pagerduty"
      /** email: 0 is 587 with starttls, 465 with tls, 25 with none */
      "port"?: number
      /** email: how the connection is encrypted */
      "security"?: "starttls" | "tls" | "none"
      /** email: addresses */
      "to"?: (string)[] | null
      /** webhook: where to post to. telegram, pagerduty: another base address than the public one, such as events.eu.pagerduty.com */
      "url"?: string
      /** email: account at the mail server; empty is no sign-in */
      "user"?: string
    }
    PlaceSilence: {
      "match"?: components['schemas']['AlarmMatch']
      /** Only up to this severity. */
      "most"?: string
      "reason": string
      "rules"?: (number)[] | null
      "until": string
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
    PreviewBody: {
      /** At or beyond the level now, the worst first; at most 500. */
      "members": (components['schemas']['AlarmMember'])[] | null
      "now": components['schemas']['AlarmRuleState']
    }
    ReceiverInfo: {
      "id": number
      "off": boolean
      /** Names of the secrets that are set. Their values are never told. */
      "secrets": (string)[] | null
      "settings": components['schemas']['NotifySettings']
      "title": string
    }
    ReceiverWish: {
      "off"?: boolean
      /** Secrets to set, by name: password, key, url or token. Those left out stay; an empty one is removed. */
      "secrets"?: { [key: string]: string }
      "settings": components['schemas']['NotifySettings']
      "title": string
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
    RuleNow: {
      "clear": number
      "clear_after_s": number
      "faults"?: (string)[] | null
      "id": number
      "key"?: string
      "match"?: components['schemas']['AlarmMatch']
      "means": string
      /** At the last look: how many it judged, left alone because they are off on purpose or under a command, could not judge, and raised. */
      "now": components['schemas']['AlarmRuleState']
      "off"?: boolean
      "press": string
      "raise": number
      "raise_after_s": number
      "safe": string
      "severity": string
      "title": string
      "watch": string
    }
    RulesBody: {
      /** Unix seconds of the last look; 0 is not yet. */
      "at": number
      "rules": (components['schemas']['RuleNow'])[] | null
      /** How long that look took. */
      "took_ms": number
      /** What a rule can watch. */
      "watches": (components['schemas']['AlarmWatchInfo'])[] | null
    }
    ScanInputBody: {
      /** Address ranges such as 10.20.0.0/16; none: those of the configuration. */
      "ranges"?: (string)[] | null
    }
    ScanState: {
      "error"?: string
      /** Machines that the record did not know before. */
      "new": number
      "progress": components['schemas']['FleetProgress']
      "ranges"?: (string)[] | null
      "running": boolean
      "started"?: string
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
    SilenceWish: {
      "minutes": number
      "reason": string
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
      "scan": components['schemas']['ScanState']
      /** The machines are simulated: none of these numbers is real. */
      "simulated": boolean
      /** From reply to disk. */
      "storing": components['schemas']['TelemetryBatcherStats']
      /** Hashing machines that do not tell their power: the sum lacks them. */
      "unmetered": number
      "version": string
      "zone": string
    }
    SiteInfo: {
      "machines": number
      /** As grants, machines and metrics call it. */
      "name": string
      /** As people call it. */
      "title": string
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
    TestBody: {
      /** What the receiver said, or why nothing arrived. */
      "answer": string
      "delivered": boolean
      "took_ms": number
    }
    WindowNow: {
      "days"?: (number)[] | null
      "from"?: string
      "id": number
      "match"?: components['schemas']['AlarmMatch']
      "minutes"?: number
      "off"?: boolean
      "open": boolean
      "start"?: string
      "title": string
      "to"?: string
      /** Unix seconds; 0 when it is not open. */
      "until": number
      "zone": string
    }
  }
}
