// Generated from docs/openapi.yaml by types.mjs. Do not edit.
export interface components {
  schemas: {
    Account: {
      "created_at": string
      "full_name": string
      "grants": (components['schemas']['LedgerGrant'])[] | null
      "id": number
      /** Accounts at the OpenID Connect provider that open this one. */
      "identities": (components['schemas']['LinkedIdentity'])[] | null
      "name": string
      "passkeys": (components['schemas']['PasskeyInfo'])[] | null
      /** Whether there is a password to change. */
      "password": boolean
    }
    AckWish: {
      /** What you are about to do, for those who look later. */
      "note"?: string
    }
    Activity: {
      /** Who decided; none for what happened by itself. */
      "actor"?: string
      /** When it began. */
      "at": string
      /** kind command: the settings are not the same for all. */
      "differ"?: boolean
      /** The same for the same thing each time it is asked for. */
      "id": string
      /** Of the machines, the first few. */
      "ids"?: (number)[] | null
      "kind": "command" | "scan" | "found" | "lost"
      /** How many it is about. */
      "machines": number
      /** kind scan: machines that the record did not know. */
      "new"?: number
      /** The building, container or rack that all of them stand in. */
      "place"?: string
      "reason"?: string
      /** kind command: of the first machine. */
      "setting"?: unknown
      /** When all of it is at one site. */
      "site"?: string
      /** kind command: how many commands are in each state. Confirmed is what telemetry shows. */
      "states"?: { [key: string]: number }
      /** kind command: what the first of those that failed says. kind scan: its error. */
      "trouble"?: string
      /** When the last of it happened. */
      "until": string
      /** kind command: what was wished, such as sleep or power. */
      "wish"?: string
    }
    ActivityBody: {
      /** Newest first. */
      "items": (components['schemas']['Activity'])[] | null
      /** There is more than is told: too many commands, or more than limit. */
      "more": boolean
      "since": string
    }
    AddKeyRequest: {
      /** When it stops working; never when left out. */
      "expires"?: string
      /** What it is for. */
      "name": string
      /** What it may do, at most what its owner may. */
      "scopes": ("look" | "repair" | "command" | "configure" | "money" | "administer" | "portal")[] | null
      /** Name of another owner, for an admin. */
      "user"?: string
    }
    AddPasskeyRequest: {
      /** PublicKeyCredential.toJSON() of the new credential. */
      "credential": unknown
      /** What you call it: the device, most often. */
      "name": string
    }
    AddSiteInputBody: {
      /** Short; letters, digits, spaces, dots and dashes. It never changes. */
      "name": string
      "ranges"?: (string)[] | null
      "title"?: string
      /** IANA time zone. */
      "zone"?: string
    }
    Advice: {
      "code": number
      "do": string
      "means": string
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
    Amount: {
      "currency": string
      "minor": number
      "text": string
    }
    ApplyInputBody: {
      "machines": (number)[] | null
      /** Only say what would happen. */
      "preview"?: boolean
      "reason"?: string
    }
    AuditAnchor: {
      "at": string
      "hash": string
      "seq": number
      /** Of the Ballast whose log it is. */
      "url": string
    }
    AuditCheckRequest: {
      /** Heads of the log that were kept elsewhere: the log must pass through each. */
      "anchors"?: (components['schemas']['LedgerAuditHead'])[] | null
    }
    AuditPage: {
      /** The newest row of the whole log. */
      "head": components['schemas']['LedgerAuditHead']
      /** Before which the next page goes on; absent at the end. */
      "next"?: number
      "rows": (components['schemas']['LedgerAuditRow'])[] | null
    }
    AuditState: {
      /** Anchors that it is checked against. */
      "anchors": number
      "by"?: string
      /** Rows checked. */
      "done": number
      "finished"?: string
      /** The last row that was right. */
      "head": components['schemas']['LedgerAuditHead']
      /** What is wrong, and at which row. */
      "problem"?: string
      "running": boolean
      /** Every row is as it was written, none is missing, none was put in, and all anchors are passed. */
      "sound": boolean
      "started"?: string
      /** Rows that the log had when the check began. */
      "total": number
    }
    AwardEntry: {
      /** Default 60. */
      "minutes"?: 5 | 15 | 30 | 60
      /** Awarded over the interval; a zero award is not the same as none. Sold is negative. */
      "mw": number
      "start": string
    }
    AwardsBody: {
      /** A contract of the site settles against awards. */
      "asked": boolean
      /** Of the span, oldest first. */
      "days": (components['schemas']['PriceAwardDay'])[] | null
      /** Newest first, withdrawn ones too. */
      "imports": (components['schemas']['LedgerSiteImport'])[] | null
      "site": string
      "zone": string
    }
    BalanceLine: {
      "account": string
      "amount": components['schemas']['Amount']
      "id": number
      "on": string
      "pledged": boolean
      "source": components['schemas']['DeskSource']
    }
    BaseRate: {
      "n": number
      "share": number
      "threshold": number
    }
    BasisSays: {
      "basis": string
      "says": string
    }
    BatchDetail: {
      "actor": string
      "cancelled_at"?: string
      "cancelled_by"?: string
      "created_at": string
      /** Commands that were not, or are no longer, in force: drifted, refused, unreachable, expired. At most 1,000. */
      "failed": (components['schemas']['LedgerCommand'])[] | null
      "id": string
      "idempotency_key"?: string
      "kind": string
      "machines": number
      /** The same, longest. */
      "max_s": number | null
      /** Seconds from the wish to its first confirmation, median of those confirmed. */
      "median_s": number | null
      /** Commands that are not settled yet. */
      "open": number
      "reason"?: string
      "refused": (components['schemas']['LedgerRefusals'])[] | null
      "setting": unknown
      "states": { [key: string]: number }
      /** Commands that are not settled yet, oldest change first. At most 1,000. */
      "waiting": (components['schemas']['LedgerCommand'])[] | null
    }
    BringInputBody: {
      /** The file, base64: CSV or Green Button XML, at most 16 MB. */
      "file": string
      "how"?: components['schemas']['ImportHow']
      /** Of the file. */
      "name"?: string
      /** Only say what would change. */
      "preview"?: boolean
      /** From the preview: refused with 412 when somebody imported meanwhile. */
      "seen"?: number
      "site": string
    }
    Bunch: {
      /** Machines in each condition; those without any are left out. */
      "conditions": { [key: string]: number }
      /** Sum over machines that answer. */
      "hashrate_ths": number
      "machines": number
      "name": string
      /** Sum of what they tell. */
      "power_w": number
      "sites": (string)[] | null
    }
    Cancelled: {
      /** Commands that were not sent, and now never will be. */
      "cancelled": number
    }
    ChangePasswordRequest: {
      /** At least 12 characters. */
      "new": string
      /** The password in force. */
      "old": string
    }
    CheckInputBody: {
      "layout": components['schemas']['SiteSite']
    }
    ClaimsBody: {
      /** What they are held against, each with its source. */
      "inputs": (components['schemas']['DebtSourcedInput'])[] | null
      "rows": (components['schemas']['DebtClaimRow'])[] | null
    }
    CommandBody: {
      /** Machines of those that take it that read so already. */
      "already": number
      /** The batch to follow it by; none for a preview. */
      "batch"?: string
      /** Written, in the order of the machines that can take the wish. Empty for a preview. */
      "commands": (components['schemas']['LedgerCommand'])[] | null
      /** What those of them hash after it of which that can be told. */
      "hashrate_after_ths": number
      /** What the machines hash now. */
      "hashrate_ths": number
      /** Machines whose hashrate after it cannot be told. */
      "hashrate_unknown": number
      /** What these hash now; part of hashrate_ths. */
      "hashrate_unknown_ths": number
      /** What has to be known for money_per_day and is not. */
      "missing": (string)[] | null
      /** Hashrate after a power limit is reckoned at each machine's present J/TH. */
      "modelled": boolean
      /** What it changes a day at the present prices: revenue less power. Missing when a price is not known. */
      "money_per_day"?: string
      /** What those of them draw after it of which that can be told. */
      "power_after_w": number
      /** Machines whose draw after it, or now, cannot be told. */
      "power_unknown": number
      /** What these draw now, as far as they tell; part of power_w. */
      "power_unknown_w": number
      /** What the machines that can take it draw now. */
      "power_w": number
      /** The same by reason, most machines first. */
      "reasons": (components['schemas']['LedgerRefusals'])[] | null
      /** Machines that cannot, with the reason; nothing is sent to them. */
      "refused": (components['schemas']['Refusal'])[] | null
      /** Machines of those that take it that do not answer now: it is tried until the deadline. No figure here counts them. */
      "silent": number
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
    Comparison: {
      /** Share of the siblings with a lower value, 0 to 1. */
      "below": number | null
      /** Which way is good. */
      "better": "high" | "low"
      "high": number
      "low": number
      "median": number
      "name": string
      /** Siblings that tell it. */
      "others": number
      /** A quarter of the siblings lie below. */
      "quarter": number
      /** A quarter lie above. */
      "three_quarters": number
      "unit": string
      /** Of this machine; null when it does not tell. */
      "value": number | null
    }
    ConfigEntry: {
      /** What it would be if nobody said anything. */
      "default": string
      "doc": string
      /** The values that it can have. */
      "enum"?: (string)[] | null
      /** Variable that overrides the file; empty: only the file can say it. */
      "env"?: string
      /** Who said it last. */
      "from": "default" | "file" | "environment" | "flag"
      "key": string
      "secret"?: boolean
      /** As the file would say it; of a secret, only whether it is set. */
      "value": string
      /** Line of the file, variable or flag. */
      "where"?: string
    }
    ContagionLine: {
      "amount": components['schemas']['Amount']
      "because": string
      "facility": string
      "round": number
    }
    ContractBody: {
      "currency"?: string
      /** What it charges today, a sentence a part. */
      "explained": (string)[] | null
      /** First day of its first version. */
      "from"?: string
      "id": number
      /** Today. */
      "in_force": boolean
      /** Of the parts of the version in force today. */
      "kinds": (string)[] | null
      "name": string
      /** Why its text cannot be used any more. */
      "problems": (components['schemas']['DocProblem'])[] | null
      /** From 1; one more with every change of the text. */
      "revision": number
      "site": string
      /** "page", or the file that it is read from: the file is read again at every start. */
      "source": string
      "text": string
      /** Every text that it had, newest first. */
      "texts": (components['schemas']['ContractText'])[] | null
      /** Last day of its last version; missing: until further notice. */
      "to"?: string
      "updated_at": string
      "warnings": (string)[] | null
      "zone"?: string
    }
    ContractCheck: {
      /** The instant that was tried. */
      "at": string
      "currency"?: string
      "explained": (string)[] | null
      "name"?: string
      "ok": boolean
      /** What one more MWh costs then. */
      "price"?: components['schemas']['PriceTry']
      "problems": (components['schemas']['DocProblem'])[] | null
      /** Market series that it asks for. */
      "series": (string)[] | null
      "warnings": (string)[] | null
    }
    ContractEditBody: {
      /** As it was read: 412 when somebody else changed it meanwhile. One of this and If-Match takes an edit; If-Match goes first. */
      "revision"?: number
      "text": string
    }
    ContractHead: {
      "currency"?: string
      /** First day of its first version. */
      "from"?: string
      "id": number
      /** Today. */
      "in_force": boolean
      /** Of the parts of the version in force today. */
      "kinds": (string)[] | null
      "name": string
      /** Why its text cannot be used any more. */
      "problems": (components['schemas']['DocProblem'])[] | null
      /** From 1; one more with every change of the text. */
      "revision": number
      "site": string
      /** "page", or the file that it is read from: the file is read again at every start. */
      "source": string
      /** Last day of its last version; missing: until further notice. */
      "to"?: string
      "updated_at": string
      "zone"?: string
    }
    ContractInputBody: {
      "site": string
      /** The contract, YAML; docs/tariff.md has the format. */
      "text": string
    }
    ContractText: {
      "actor": string
      "at": string
      "revision": number
      "text": string
    }
    ContractTryBody: {
      /** Instant to try; default now. */
      "at"?: string
      /** Of the contract that the text is to replace. */
      "id"?: number
      /** What the site draws then; default what it draws now. */
      "load_w"?: number
      "site": string
      "text": string
    }
    CostStep: {
      "cost": number
      /** Hashprice less the total. */
      "margin": number
      "name": string
      /** Of all steps so far. */
      "total": number
    }
    CountedLine: {
      "balance": components['schemas']['Amount']
      /** Why it is not counted. */
      "excluded"?: string
      "facility": string
      "name": string
      "purpose": string
    }
    DebtChanges: {
      /** What moved the ratio at market index; the parts add up. */
      "drivers": (components['schemas']['DeskDriver'])[] | null
      "figures": (components['schemas']['DeskChange'])[] | null
      "note"?: string
      /** The day that is compared with; none when no position was kept. */
      "since"?: string
    }
    DebtClaimRow: {
      "figure": string
      "formula"?: string
      "no": number
      "note": string
      "result"?: number
      "unit"?: string
      "verdict": string
    }
    DebtCollateral: {
      "coins"?: string
      "efficiency_jth"?: number
      "hashrate_ths"?: number
      "kind": string
      "value"?: string
    }
    DebtConversion: {
      "cap"?: string
      "cash"?: boolean
      "from"?: string
      "price": string
    }
    DebtCovenant: {
      "cure_days"?: number
      "facility"?: string
      "id": string
      "limit": number
      "metric": string
      "source"?: string
    }
    DebtCovenants: {
      "covenants": (components['schemas']['DeskCovenantLine'])[] | null
      "currency": string
      "day": string
      /** Nothing was entered yet. */
      "empty": boolean
      /** Says that the company is made up; every page must show it. */
      "example"?: string
      /** How far ahead a breach is looked for. */
      "horizon_days": number
      "name": string
      "now": string
      /** What whoever reads the figures must know first. */
      "remarks": (string)[] | null
      /** Of the book; a change names the revision that it was made from. */
      "rev": number
    }
    DebtCrossDefault: {
      "any"?: boolean
      "of"?: (string)[] | null
      "threshold"?: string
    }
    DebtFacility: {
      "convert"?: components['schemas']['DebtConversion']
      "covenants"?: (components['schemas']['DebtCovenant'])[] | null
      "cross"?: components['schemas']['DebtCrossDefault']
      "drawn": string
      "fees"?: (components['schemas']['DebtFee'])[] | null
      "guarantor"?: string
      "id": string
      "interest": components['schemas']['DebtInterest']
      "kind": string
      "lender"?: string
      "margin"?: components['schemas']['DebtMargin']
      "maturity": string
      "name": string
      "obligor"?: string
      "principal": string
      "purpose": string
      "recourse": string
      "repayment": components['schemas']['DebtRepayment']
      "secured"?: (components['schemas']['DebtCollateral'])[] | null
      "source"?: string
    }
    DebtFee: {
      "amount"?: string
      "kind": string
      "rate"?: string
    }
    DebtHashcost: {
      "currency": string
      "day": string
      /** Nothing was entered yet. */
      "empty": boolean
      /** Says that the company is made up; every page must show it. */
      "example"?: string
      /** One for each step. */
      "figures": (components['schemas']['DeskFigure'])[] | null
      "groups": (components['schemas']['DeskGroupCost'])[] | null
      "hashprice": components['schemas']['DeskFigure']
      "heat": components['schemas']['DebtHeat']
      "missing"?: string
      "name": string
      "now": string
      /** What whoever reads the figures must know first. */
      "remarks": (string)[] | null
      /** Of the book; a change names the revision that it was made from. */
      "rev": number
      "steps": (components['schemas']['CostStep'])[] | null
    }
    DebtHeat: {
      "against": string
      /** By row; null is not to be had, and infinite values are 1e308 with their sign. */
      "cells": ((number | null)[] | null)[] | null
      /** Cash for debt service a year, beside it. */
      "cfads": ((components['schemas']['Amount'])[] | null)[] | null
      /** Covenants of the company on this metric. */
      "limits": (components['schemas']['DeskClaimMark'])[] | null
      "metric": string
      "missing"?: string
      "other": (number)[] | null
      "others": (string)[] | null
      /** Multiples. */
      "price": (number)[] | null
      /** The prices that they are. */
      "prices": (string)[] | null
    }
    DebtImport: {
      "adds": number
      "changes": number
      "done": boolean
      /** What it does to the position. */
      "effect": (components['schemas']['FigureEffect'])[] | null
      /** What is wrong, line by line; then nothing would change. */
      "errors": (components['schemas']['DeskLineError'])[] | null
      "kind": string
      "lines": (components['schemas']['DeskChangeLine'])[] | null
      /** Of the position with it. */
      "remarks": (string)[] | null
      /** Of the book that the preview was made from; after an import, the new one. */
      "rev": number
      "same": number
    }
    DebtImportInputBody: {
      /** The file, base64. */
      "file": string
      "kind": "facilities" | "covenants" | "balances" | "flows" | "payments" | "machine-prices" | "rates"
      /** Only say what would change. */
      "preview"?: boolean
      /** The revision that the preview was made from. */
      "seen"?: number
    }
    DebtInterest: {
      "cap"?: string | null
      "day_count": string
      "fixed"?: string
      "floor"?: string | null
      "index"?: string
      "margin"?: string
    }
    DebtMargin: {
      "call": string
      "cure_days": number
      "initial": string
      "liquidate": string
    }
    DebtPosition: {
      /** What each basis of valuation means. Values on different bases are never added or averaged. */
      "bases": (components['schemas']['BasisSays'])[] | null
      "changes": components['schemas']['DebtChanges']
      /** Each facility's part in the ratio. */
      "counted": (components['schemas']['CountedLine'])[] | null
      "covenants": (components['schemas']['DeskCovenantLine'])[] | null
      "currency": string
      "day": string
      /** Nothing was entered yet. */
      "empty": boolean
      /** Says that the company is made up; every page must show it. */
      "example"?: string
      "figures": (components['schemas']['DeskFigure'])[] | null
      /** Facilities that are in no figure, and why. */
      "left_out": (components['schemas']['DeskLeftOut'])[] | null
      "name": string
      "now": string
      /** What whoever reads the figures must know first. */
      "remarks": (string)[] | null
      /** Of the book; a change names the revision that it was made from. */
      "rev": number
      /** Which debt the ratio counts, in words. */
      "scope": string
      /** Cash that falls due in each of the next twelve quarters. */
      "wall": (components['schemas']['WallQuarter'])[] | null
    }
    DebtRepayment: {
      "advance"?: boolean
      "balloon"?: string
      "capitalised"?: string
      "interest_only"?: number
      "months": number
      "shape": string
      "shares"?: (string)[] | null
      "sweep"?: string
    }
    DebtSourcedInput: {
      "as_of": string
      "kind": "quoted" | "derived" | "market"
      "name": string
      "source": string
      "unit": string
      "value": number
    }
    DebtTerms: {
      "currency": string
      "day": string
      /** Nothing was entered yet. */
      "empty": boolean
      /** Says that the company is made up; every page must show it. */
      "example"?: string
      "machine_prices": (components['schemas']['RigLine'])[] | null
      /** What the market's numbers are now, and from where. */
      "market": (components['schemas']['DeskInput'])[] | null
      "name": string
      "now": string
      "rates": (components['schemas']['RateLine'])[] | null
      /** What whoever reads the figures must know first. */
      "remarks": (string)[] | null
      /** Of the book; a change names the revision that it was made from. */
      "rev": number
      /** Those that have machines, for power prices. */
      "sites": (string)[] | null
      "source": components['schemas']['DeskSource']
      "terms": components['schemas']['DeskTerms']
    }
    DebtWeeks: {
      "assumptions": (components['schemas']['DeskInput'])[] | null
      "balances": (components['schemas']['BalanceLine'])[] | null
      "currency": string
      "day": string
      /** Nothing was entered yet. */
      "empty": boolean
      /** Says that the company is made up; every page must show it. */
      "example"?: string
      /** Cash is to stay over it. */
      "floor": components['schemas']['Amount']
      "flows": (components['schemas']['FlowLine'])[] | null
      /** In the order of a statement; those that are zero in every week are left out. */
      "lines": (components['schemas']['WeekLine'])[] | null
      /** Why there is no plan. */
      "missing"?: string
      "name": string
      "now": string
      /** First week in which cash goes under zero; 0 is none. */
      "overdrawn": number
      /** What whoever reads the figures must know first. */
      "remarks": (string)[] | null
      /** Of the book; a change names the revision that it was made from. */
      "rev": number
      "runway": components['schemas']['DeskFigure']
      /** First week in which cash stays under the floor with all coins sold, from 1; 0 is none. */
      "short": number
      "weeks": (components['schemas']['Week'])[] | null
    }
    DeskChange: {
      "better": number
      "key": string
      "name": string
      "now": number
      /** Now, as a person reads it. */
      "text": string
      "then": number
      "unit": string
      "was": string
    }
    DeskChangeLine: {
      "action": "adds" | "changes" | "same"
      /** Of what changes. */
      "fields": (components['schemas']['DeskFieldChange'])[] | null
      "line": number
      "name": string
      /** What stands there afterwards, in a few words. */
      "text": string
    }
    DeskClaimMark: {
      "at": number
      "claim": string
      "over": boolean
    }
    DeskCovenantLine: {
      "clause"?: string
      "cure_days": number
      /** Until the breach on the path of the terms; null when none within two years. */
      "days"?: number | null
      /** Whose contract has it. */
      "facility": string
      /** Headroom, price, hashprice and days as figures that can be opened. */
      "figures": (components['schemas']['DeskFigure'])[] | null
      /** In currency units per PH/s and day, at today's price of a bitcoin. */
      "hashprice_at_breach"?: number | null
      /** By how much what pays may fall, or the collateral may lose, in the company's currency; negative after a breach. */
      "headroom"?: number | null
      "headroom_text": string
      "id": string
      "limit": number
      "metric": string
      /** Whose debt or collateral is measured; empty is the company. */
      "of"?: string
      /** Of a bitcoin, at which it breaks, or is mended after a breach; null when no price does. */
      "price_at_breach"?: number | null
      "reading": components['schemas']['DeskFigure']
      "rule": string
      "state": "holds" | "near" | "breached" | "not known"
    }
    DeskDriver: {
      "name": string
      "now": string
      "part": number
      "then": string
    }
    DeskFieldChange: {
      "field": string
      "now": string
      "was": string
    }
    DeskFigure: {
      /** Of the oldest input. */
      "at"?: string
      "formula"?: string
      "inputs": (components['schemas']['DeskInput'])[] | null
      "key": string
      /** Lines that somebody claims for it. */
      "lines"?: (components['schemas']['DeskClaimMark'])[] | null
      /** Why it cannot be had. */
      "missing"?: string
      "name": string
      "note"?: string
      /** As a person reads it, without its unit; a dash when it cannot be had. */
      "text": string
      "unit": string
      /** Null when it cannot be had, or when it is not finite: then text says what it is. */
      "value": number | null
      /** The formula with the numbers put in. */
      "with"?: string
    }
    DeskGroupCost: {
      "active_ths": number
      /** Mean, since Ballast first saw them. */
      "age_days": number
      "break_even_power_per_mwh"?: number | null
      /** Of a bitcoin. */
      "break_even_price"?: number | null
      "efficiency_j_per_th": number
      /** Power, per PH/s and day. */
      "hashcost"?: number | null
      "hashing": number
      "machines": number
      /** Hashprice less hashcost. */
      "margin"?: number | null
      "model": string
      /** Efficiency is the nameplate's: the machines do not tell their power. */
      "nameplate"?: boolean
      "power_per_mwh"?: number | null
      "site": string
    }
    DeskHandMarket: {
      "difficulty"?: number
      "fee_share"?: string
      "height"?: number
      "on": string
      "price"?: string
      "source"?: string
    }
    DeskInput: {
      "name": string
      /** Key of the figure that it is, when it is one. */
      "of"?: string
      "source": components['schemas']['DeskSource']
      "text": string
    }
    DeskLeftOut: {
      "facility": string
      "why": string
    }
    DeskLineError: {
      "column"?: string
      "line": number
      "reason": string
      "text"?: string
    }
    DeskSource: {
      /** When the number was true. */
      "at"?: string
      "how": "measured" | "quoted" | "entered" | "modelled"
      /** In words: which feed, which document, who. */
      "what": string
    }
    DeskTerms: {
      "cash_floor"?: string
      "company": string
      "currency": string
      "depreciation"?: string
      "difficulty_year"?: string
      "example"?: string
      "forced_discount"?: string
      "hashprice_drift"?: string
      "hashprice_vol"?: string
      "install_per_th"?: number
      "landing"?: string
      "life_months"?: number
      "market"?: components['schemas']['DeskHandMarket']
      "new_efficiency_jth"?: number
      "other_assets"?: string
      "overhead"?: number
      "power"?: { [key: string]: string }
      "price_drift"?: string
      "price_vol"?: string
      "removal_per_th"?: number
      "rig_beta"?: number
      "risk_free"?: string
      "sell_share"?: string
      "share_price"?: string
      "uptime"?: number
    }
    Disk: {
      /** At that growth. Retention makes the growth smaller with time. */
      "days_left"?: number | null
      "free_bytes"?: number | null
      /** Of history and record together. */
      "growth_bytes_per_day"?: number | null
      "size_bytes"?: number | null
      /** Hours that the growth was measured over; below 1 it is worked out from the size of a machine's day. */
      "watched_h": number
    }
    DocProblem: {
      /** Where: a path such as feeders[1].cap. */
      "at": string
      /** In the text that was read; 0 when there was none. */
      "line"?: number
      "what": string
    }
    DropDebtEntryResponse: {
      "rev": number
    }
    EditAccountRequest: {
      "full_name"?: string
    }
    EditInputBody: {
      "add_tags"?: (string)[] | null
      "group"?: string
      "name"?: string
      /** Where it stands; all empty is nowhere. Conflict when another machine stands in that slot. */
      "place"?: components['schemas']['LedgerPlace']
      "remove_tags"?: (string)[] | null
      "retired"?: boolean
    }
    EditManyInputBody: {
      "add_tags"?: (string)[] | null
      /** Empty takes them out of their group. */
      "group"?: string
      "machines": (number)[] | null
      "remove_tags"?: (string)[] | null
      /** Takes the right to configure their site. */
      "retired"?: boolean
    }
    EditPersonInputBody: {
      "disabled"?: boolean
      "full_name"?: string
      /** All grants at sites where you are admin; those elsewhere stay. */
      "grants"?: (components['schemas']['LedgerGrant'])[]
      /** The version that you looked at; 412 when it is no more. */
      "version"?: number
    }
    Edited: {
      "machines": number
    }
    EndedBodyBody: {
      /** How many sessions ended. */
      "ended": number
    }
    EnterMarketInputBody: {
      /** When it was true; missing: now. */
      "at"?: string
      "series": "price_usd" | "difficulty" | "fees_sat"
      /** Where you have it from. */
      "source": string
      "value": number
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
    EscalationNow: {
      "ends": boolean
      "id": number
      "off"?: boolean
      "quiet"?: components['schemas']['AlarmQuiet']
      "severities": (string)[] | null
      "sites"?: (string)[] | null
      "steps": (components['schemas']['AlarmStep'])[] | null
      "title": string
      /** Send it back as If-Match with an edit. */
      "version": number
    }
    FacilityPage: {
      /** Interest since the last payment. */
      "accrued": components['schemas']['Amount']
      /** Who falls due when this one defaults, by cross-default clauses. */
      "contagion": (components['schemas']['ContagionLine'])[] | null
      "currency": string
      "day": string
      "due_to_date": components['schemas']['Amount']
      /** Nothing was entered yet. */
      "empty": boolean
      /** Says that the company is made up; every page must show it. */
      "example"?: string
      "facility": components['schemas']['DebtFacility']
      "margin"?: components['schemas']['MarginPage']
      "name": string
      "now": string
      "paid_to_date": components['schemas']['Amount']
      "payments": (components['schemas']['PaymentLine'])[] | null
      /** Payments that are recorded; with none, what is due counts as neither paid nor missed. */
      "recorded": number
      /** What whoever reads the figures must know first. */
      "remarks": (string)[] | null
      /** Of the book; a change names the revision that it was made from. */
      "rev": number
      "row": components['schemas']['FacilityRow']
      "schedule": (components['schemas']['ScheduleLine'])[] | null
      /** Due and not paid. */
      "short": components['schemas']['Amount']
      "source": components['schemas']['DeskSource']
      "versions": (components['schemas']['FacilityVersion'])[] | null
    }
    FacilityRow: {
      "balance": components['schemas']['Amount']
      "collateral"?: string
      "covenants": number
      "drawn": string
      "due_in_a_year": components['schemas']['Amount']
      "id": string
      "kind": string
      "lender": string
      "maturity": string
      "name": string
      "next_cash": components['schemas']['Amount']
      "next_due"?: string
      "obligor": string
      "principal": components['schemas']['Amount']
      "purpose": string
      "rate": string
      "recourse": string
      /** Due and not recorded as paid, where payments are recorded. */
      "short": components['schemas']['Amount']
      /** Why it has no schedule. */
      "trouble"?: string
      "version": number
    }
    FacilityVersion: {
      "actor": string
      "at": string
      /** Against the version before. */
      "changed": (components['schemas']['DeskFieldChange'])[] | null
      "removed"?: boolean
      "version": number
    }
    FeedGap: {
      "from": string
      "series": string
      "to": string
    }
    FeedHealth: {
      "error"?: string
      "failures": number
      "feed": string
      "gaps"?: (components['schemas']['FeedGap'])[] | null
      "next": string
      "ok": boolean
      "problems"?: (string)[] | null
      "revisions": number
      "series": (string)[] | null
      "succeeded"?: string
      "tried"?: string
      "values": number
    }
    FigureEffect: {
      "name": string
      "now": string
      "was": string
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
    FlowLine: {
      "amount": components['schemas']['Amount']
      "every"?: string
      "id": number
      "line": string
      "name"?: string
      "on": string
      "source": components['schemas']['DeskSource']
      "until"?: string
    }
    HalvingBody: {
      "at": string
      "early": string
      "height": number
      "late": string
      "number": number
      /** After it. */
      "subsidy_sat": number
    }
    HardwareOption: {
      "j_per_th": number
      /** Days of life that it has then. */
      "life_days": number
      "name": string
      /** At the end of its life. */
      "resale_usd_th"?: number
      /** Missing: 0.95. */
      "uptime"?: number
      /** What it costs now per TH/s: the price of new machines landed and installed, or of the repair; 0 to keep running. */
      "usd_per_th": number
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
    Hit: {
      "condition"?: string
      "kind": "machine" | "group" | "tag"
      "machine"?: number
      /** Of a group or tag. */
      "machines"?: number
      "name": string
      /** What it is, and the name that fits when it is none of those that lists show. */
      "note"?: string
    }
    ImportHow: {
      /** What local times follow: the zone's clock, its standard time all year, or UTC. Default local. */
      "clock"?: "local" | "standard" | "utc"
      /** Whether months or days come first, where the file does not tell. */
      "dates"?: "mdy" | "dmy"
      /** Where the file does not tell. */
      "interval_min"?: 5 | 10 | 15 | 20 | 30 | 60
      /** Name of the meter where the file names none. */
      "meter"?: string
      /** Which end of an interval times are, where the file does not tell. */
      "stamp"?: "start" | "end"
      /** Of the values; default what the file says. */
      "unit"?: "Wh" | "kWh" | "MWh" | "kW" | "MW"
      /** Time zone; default that of the site's contract. */
      "zone"?: string
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
    Invite: {
      "created_at": string
      "expires": string
      "grants": (components['schemas']['LedgerGrant'])[] | null
      "id": number
      /** Whose password it resets. */
      "name"?: string
      "note"?: string
      "purpose": "admin" | "invite" | "reset-password"
    }
    InviteRequest: {
      "grants": (components['schemas']['LedgerGrant'])[] | null
      /** How long the link works; 0 is a week. */
      "hours"?: number
      /** For whom, so that you know later. */
      "note"?: string
    }
    Item: {
      /** Left out when changing: stays as it was for this address and user. */
      "password"?: string
      "url": string
      /** Worker name; {ip}, {ip3}, {ip4}, {mac}, {serial}, {name}, {id}, {container}, {rack} and {slot} are the machine's own. */
      "user": string
    }
    KeyInfo: {
      "created_at": string
      "expires"?: string
      "id": number
      /** To the minute. */
      "last_used"?: string
      "name": string
      /** Whose it is: it can never do more than they. */
      "owner": string
      /** How the key begins; the rest was shown once. */
      "prefix": string
      "revoked"?: string
      "scopes": ("look" | "repair" | "command" | "configure" | "money" | "administer" | "portal")[] | null
      "user": number
    }
    LayoutCheck: {
      "conflicts": (components['schemas']['FleetPlaceConflict'])[] | null
      /** Machines that saving it would move. */
      "moves": number
      /** Machines that it has a slot for. */
      "placed": number
      /** None: it can be saved. */
      "problems": (components['schemas']['DocProblem'])[] | null
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
      "problems": (components['schemas']['DocProblem'])[] | null
      "replaced": number
      "same": number
      "skipped": number
    }
    LedgerAddressSpan: {
      "addr": string
      "machine": number
      "since": string
      "site"?: string
      "until"?: string
    }
    LedgerAlarmEvent: {
      "actor"?: string
      "alarm": number
      "at": string
      "detail"?: string
      "kind": string
      "seq": number
    }
    LedgerAuditHead: {
      "hash": string
      "seq": number
    }
    LedgerAuditRow: {
      "action": string
      "actor": string
      "at": string
      "detail"?: string
      "hash": string
      "prev": string
      "seq": number
      "subject": string
    }
    LedgerBatch: {
      "actor": string
      "cancelled_at"?: string
      "cancelled_by"?: string
      "created_at": string
      "id": string
      "idempotency_key"?: string
      "kind": string
      "machines": number
      "reason"?: string
      "refused": (components['schemas']['LedgerRefusals'])[] | null
      "setting": unknown
      "states": { [key: string]: number }
    }
    LedgerCommand: {
      "actor": string
      "attempts": number
      "batch"?: string
      "confirmed_at"?: string
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
    LedgerIdentityChange: {
      "at": string
      "field": string
      "machine": number
      "now": string
      "was": string
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
    LedgerMarketEntry: {
      "actor": string
      "at": string
      "entered_at": string
      "id": number
      "series": string
      "source": string
      "value": number
      "withdrawn_at"?: string
      "withdrawn_by"?: string
    }
    LedgerNote: {
      "actor": string
      "at": string
      "id": number
      "machine": number
      "text": string
    }
    LedgerPeerReport: {
      "actor": string
      "entered_at": string
      "firm": string
      "installed_ths": number
      "luck": boolean
      "mined_sat": number
      "month": string
      "source": string
    }
    LedgerPlace: {
      "building"?: string
      "container"?: string
      "rack"?: string
      "slot"?: string
    }
    LedgerRefusals: {
      "machines": (number)[] | null
      "why": string
    }
    LedgerReportSend: {
      "at": string
      "by_hand": boolean
      "day": string
      "error"?: string
      "id": number
      "schedule": number
      "site": string
      "to": (string)[] | null
    }
    LedgerRigPrice: {
      "actor": string
      "at": string
      "currency": string
      "entered_at": string
      "id": number
      "kind": string
      "micro_per_th": number
      "source": string
      "tier": string
    }
    LedgerSiteImport: {
      "actor": string
      /** Intervals of which nothing was known. */
      "added": number
      "at": string
      /** Intervals that an earlier import has otherwise. */
      "changed": number
      /** SHA-256 of its bytes, hexadecimal. */
      "digest": string
      /** Its name. */
      "file": string
      /** As it was understood. */
      "format": string
      "from": string
      "id": number
      "kind": string
      "same": number
      "site": string
      "to": string
      "withdrawn_at"?: string
      "withdrawn_by"?: string
    }
    LeversInputBody: {
      "levers": (components['schemas']['PlayLever'])[] | null
    }
    LinkIdentityResponse: {
      "location": string
    }
    LinkedIdentity: {
      "created_at": string
      "email"?: string
      "issuer": string
      "last_used": string
      "subject": string
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
      /** Where it was, oldest first. */
      "addresses": (components['schemas']['LedgerAddressSpan'])[] | null
      /** What the faults of the reading mean and what to do, one for each different code. */
      "advice": (components['schemas']['Advice'])[] | null
      /** What it said of itself and no longer says, oldest first. */
      "changes": (components['schemas']['LedgerIdentityChange'])[] | null
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
      /** What people wrote down, newest first. */
      "notes": (components['schemas']['LedgerNote'])[] | null
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
      "tags"?: (string)[] | null
      /** Hottest chip, else hottest board. */
      "temp_c": number | null
      /** Why the last poll gave no reading. */
      "trouble"?: string
      /** Of what people edit of it: send it back as If-Match with an edit. */
      "version": number
      "warnings": number
    }
    MachineEvent: {
      /** Unix seconds. */
      "at": number
      "command"?: string
      "kind": "command" | "confirmed" | "drifted" | "restart" | "identity" | "address" | "note"
      "text": string
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
      /** Send it back as If-Match with an edit. */
      "version": number
    }
    Map: {
      /** Buildings and containers, in their order. */
      "areas": (components['schemas']['MapArea'])[] | null
      /** What the values of the metric firmware stand for. */
      "firmwares": (string)[] | null
      /** What the values of the metric group stand for. */
      "groups": (string)[] | null
      /** Ids, in the order that state comes in: rack by rack, then those without a place by address. */
      "machines": (number)[] | null
      /** What the values of the metric model stand for. */
      "models": (string)[] | null
      /** How many of the machines, at the end, have no place. */
      "unplaced": number
      /** Changes whenever anything here does. */
      "version": string
    }
    MapArea: {
      "building"?: string
      "container"?: string
      "racks": (components['schemas']['MapRack'])[] | null
      "site": string
    }
    MapRack: {
      /** Slot of each machine, from 0; left out when they fill slots 0, 1, 2 … */
      "at"?: (number)[] | null
      /** Slots side by side; slot 1 is at the floor, at the left. */
      "columns": number
      /** Machines in it. */
      "count": number
      /** The layout says how many slots there are; else it is guessed from the machines. */
      "described": boolean
      /** Index of the rack's first machine. */
      "first": number
      "name": string
      "slots": number
    }
    MarginPage: {
      /** Of a bitcoin, at which the lender calls. */
      "call_price": components['schemas']['Amount']
      "called": boolean
      "liquidate": boolean
      "liquidation_price": components['schemas']['Amount']
      "ltv": number
      /** Restores the initial loan to value. */
      "pay": components['schemas']['Amount']
      /** So do these coins. */
      "post": components['schemas']['Amount']
    }
    MarketBody: {
      "at": string
      "difficulty"?: components['schemas']['MarketNumber']
      "fee_share"?: components['schemas']['MarketNumber']
      /** Of a block, mean of 144 blocks. */
      "fees"?: components['schemas']['MarketNumber']
      "halving"?: components['schemas']['HalvingBody']
      "hashprice"?: components['schemas']['MarketNumber']
      /** What is not known, and what to do about it. */
      "missing": (components['schemas']['MarketMissing'])[] | null
      "network"?: components['schemas']['MarketNumber']
      /** Who found the blocks of the last week, most first. */
      "pools": (components['schemas']['PoolBody'])[] | null
      "price"?: components['schemas']['MarketNumber']
      "retarget"?: components['schemas']['RetargetBody']
      "sat_per_ph_day"?: components['schemas']['MarketNumber']
      /** The sources are simulated: no number here is about the real network. */
      "simulated": boolean
      "sources": (components['schemas']['MarketSource'])[] | null
      "subsidy"?: components['schemas']['MarketNumber']
      "tip"?: components['schemas']['MarketNumber']
    }
    MarketDay: {
      /** UTC. */
      "day": string
      "difficulty"?: number
      /** With the fees of 144 blocks where they were kept, else of the subsidy alone. */
      "hashprice_usd"?: number
      /** Mean of the day's epoch; missing while it runs. */
      "network_ehs"?: number
      "price_usd"?: number
      "subsidy_sat"?: number
      /** hashprice_usd has fees in it. */
      "with_fees": boolean
    }
    MarketHistoryBody: {
      /** Oldest first. */
      "days": (components['schemas']['MarketDay'])[] | null
      "from": string
      "marks": (components['schemas']['MarketMark'])[] | null
      "to": string
    }
    MarketMark: {
      "at": string
      /** Of difficulty. */
      "change"?: number
      "height": number
      "kind": "retarget" | "halving"
    }
    MarketMissing: {
      "what": string
      "why": string
    }
    MarketNumber: {
      /** When Ballast got it. */
      "asked": string
      /** When it was true. */
      "at": string
      /** Standard deviation, where it is an estimate; in the number's unit. */
      "error"?: number
      /** How it is reckoned. */
      "formula"?: string
      /** What the formula was given. */
      "inputs"?: (components['schemas']['NamedNum'])[] | null
      /** quoted by a source, entered by somebody, or reckoned from others. */
      "kind": "quoted" | "entered" | "reckoned"
      "source": string
      "unit": string
      "value": number
    }
    MarketSource: {
      "answered"?: string
      "asked"?: string
      "failure"?: string
      "gives": (string)[] | null
      "kind": "mempool" | "node" | "csv"
      "name": string
      "simulated": boolean
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
    MeterData: {
      /** When it was taken out: the sum of the site does without it from then on. */
      "ended"?: string
      "first": string
      "last": string
      "name": string
    }
    MeterDataBody: {
      /** Newest first, withdrawn ones too. */
      "imports": (components['schemas']['LedgerSiteImport'])[] | null
      "meters": (components['schemas']['MeterData'])[] | null
      /** Newest first, beside the site's own meter; 25 at most. */
      "months": (components['schemas']['PriceAgainst'])[] | null
      "site": string
      "zone": string
    }
    MeterEndInputBody: {
      /** When it was taken out; missing: it is in place again. */
      "at"?: string
      "meter": string
      "site": string
    }
    MeteringFile: {
      /** Rows that repeat another; they count once. */
      "doubles": number
      /** In words. */
      "format": string
      /** Spans without readings between others, at most 100. */
      "gaps": (components['schemas']['MeteringGap'])[] | null
      "meters": (components['schemas']['MeteringMeter'])[] | null
      /** Intervals that these gaps would hold. */
      "missing": number
      /** Why it cannot be used. Empty: it can. */
      "problems": (components['schemas']['MeteringProblem'])[] | null
      /** What was understood, or left out. */
      "remarks": (string)[] | null
      /** Whose clock its local times are taken to be on. */
      "zone": string
    }
    MeteringGap: {
      "from": string
      "meter": string
      "to": string
    }
    MeteringMeter: {
      "estimated": number
      "from": string
      "interval_min": number
      "mwh": number
      "name": string
      "readings": number
      "to": string
    }
    MeteringProblem: {
      /** What to do about it. */
      "do"?: string
      /** The choice that settles it: clock, stamp, dates, unit, interval or zone. */
      "field"?: string
      /** Of the file; 0: the whole of it. */
      "line"?: number
      "what": string
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
    NamePasskeyRequest: {
      "name": string
    }
    NamedNum: {
      "name": string
      "unit": string
      "value": number
    }
    NetworkOdds: {
      "base_rates": (components['schemas']['BaseRate'])[] | null
      /** Of the retarget after this one's first block: what the model said when the epoch began. */
      "chance"?: number | null
      /** From the blocks of this epoch alone, with two per cent of doubt about the pace to come. */
      "chance_so_far"?: number | null
      "epochs": number
      /** Of difficulty by a tenth or more from a peak. */
      "falls": (components['schemas']['OutlookFall'])[] | null
      /** Of hashprice over the 30 days before the epoch began. */
      "hashprice_change"?: number | null
      "model"?: components['schemas']['OutlookModel']
      /** How such forecasts did, each made from what was over before it. */
      "score"?: components['schemas']['OutlookScore']
      /** Learned from a simulated network. */
      "simulated": boolean
      "threshold": number
      /** Why there is no chance. */
      "why"?: string
    }
    NetworksBody: {
      "networks": (string)[] | null
    }
    NewKey: {
      "created_at": string
      "expires"?: string
      "id": number
      /** Shown this once: the record keeps only its hash. */
      "key": string
      /** To the minute. */
      "last_used"?: string
      "name": string
      /** Whose it is: it can never do more than they. */
      "owner": string
      /** How the key begins; the rest was shown once. */
      "prefix": string
      "revoked"?: string
      "scopes": ("look" | "repair" | "command" | "configure" | "money" | "administer" | "portal")[] | null
      "user": number
    }
    NewLink: {
      "expires": string
      "link": string
    }
    NoteInputBody: {
      "text": string
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
    OutlookBase: {
      /** The company does not exist: it is an example on the live fleet. */
      "example": boolean
      /** Of a CSV of facilities. */
      "facility_columns": (string)[] | null
      /** Where the company's machines are from. */
      "fleet": string
      /** Of the levers: send it back as If-Match when setting them. */
      "levers_version": number
      "missing": (components['schemas']['MarketMissing'])[] | null
      /** It can be played as it is. */
      "ready": boolean
      /** Ready to be played. */
      "scenario": components['schemas']['PlayScenario']
      "simulated": boolean
      "today": string
    }
    OutlookBin: {
      "error": number
      "events": number
      "from": number | null
      "n": number
      "said": number
      "to": number | null
      "was": number
    }
    OutlookFall: {
      "depth": number
      "peak": string
      "trough": string
    }
    OutlookModel: {
      "a": number
      "b": number
      "base": number
      "events": number
      "from": string
      "n": number
      "threshold": number
      "till": string
    }
    OutlookScore: {
      "attainable": number
      "base_brier": number
      "bins": (components['schemas']['OutlookBin'])[] | null
      "brier": number
      "events": number
      "how": string
      "n": number
      "worst": number
      "z": number
    }
    PartNow: {
      "kind": string
      "note"?: string
      "part": string
      "price_per_mwh": number
      "source": string
      "status": string
    }
    PasskeyInfo: {
      "created_at": string
      "id": number
      "last_used"?: string
      "name": string
      /** Kept by a provider on several devices, not on one alone. */
      "synced": boolean
    }
    PasskeyOptionsRequest: {
      /** Yours, when you have one: a passkey outlasts a session. */
      "password"?: string
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
    PaymentLine: {
      "amount": components['schemas']['Amount']
      "due": string
      "id": number
      "on": string
      "source": components['schemas']['DeskSource']
      /** Nothing is due on that day. */
      "stray"?: boolean
    }
    PeerClass: {
      "class": string
      "firms": number
      /** Realised hashrate from which on a miner belongs to it. */
      "from_ehs": number
      /** Of those alone that reported both months, in the class they had the month before. */
      "growth"?: number
      "realised_ehs": number
      "share": number
    }
    PeerReportsBody: {
      /** With preview, what would be. */
      "entered": (components['schemas']['LedgerPeerReport'])[] | null
      /** What is wrong, line by line; then nothing was entered. */
      "errors": (string)[] | null
    }
    PeerReportsInputBody: {
      /** Only say what would be entered and what is wrong. */
      "preview"?: boolean
      /** CSV with the columns firm, month, btc_mined, installed_ehs, luck and source. */
      "text": string
    }
    PeerRow: {
      "class": string
      "firm": string
      /** Of realised hashrate since the month before. */
      "growth"?: number
      "high_ehs": number
      "installed_ehs"?: number
      /** With the tolerance of fee share, rounding and luck. */
      "low_ehs": number
      "mined_btc": number
      "rank": number
      /** Realised over installed. */
      "realisation"?: number
      "realised_ehs": number
      /** Of the network's hashrate. */
      "share": number
      /** Since the month before. */
      "share_gain"?: number
      "source": string
    }
    PeersBody: {
      "classes": (components['schemas']['PeerClass'])[] | null
      /** Of a CSV of reports. */
      "columns": (string)[] | null
      /** Of the network's reward in that month, assumed with its doubt where the history has none. */
      "fee_share": number
      "fee_share_off": number
      "month": string
      /** With reports, newest first. */
      "months": (string)[] | null
      "rows": (components['schemas']['PeerRow'])[] | null
      /** Difficulty is of a simulated network: real reports do not fit it. */
      "simulated": boolean
      /** Why there is no table. */
      "why"?: string
    }
    Person: {
      "created_at": string
      "disabled"?: string
      /** Has grants at other sites, too: only an admin of these may disable them or reset their password. */
      "elsewhere": boolean
      "full_name"?: string
      /** Those that the one who asks may see. */
      "grants": (components['schemas']['LedgerGrant'])[] | null
      "id": number
      /** In a session that has not ended. */
      "last_seen"?: string
      /** To sign in with. */
      "name": string
      /** It is the one who asks. */
      "self": boolean
      /** Browsers they are signed in with. */
      "sessions": number
      /** Ways that they have to sign in; none for accounts of programs. */
      "signs_in": ("password" | "passkey" | "oidc")[] | null
      /** Send it back with an edit, or as If-Match, so that nothing is overwritten that somebody else changed. */
      "version": number
    }
    PlaceInputBody: {
      /** Where it stands; left out, the layout decides again. */
      "place"?: components['schemas']['LedgerPlace']
    }
    PlaceSilence: {
      "match"?: components['schemas']['AlarmMatch']
      /** Only up to this severity. */
      "most"?: string
      "reason": string
      "rules"?: (number)[] | null
      "until": string
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
      /** Send it back as If-Match with an edit of the machine. */
      "version": number
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
    PlantHealth: {
      "at": string
      "error"?: string
      "kind": string
      "name": string
      "quality": string
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
    PlayAssumption: {
      /** market: told by the market's sources; entered in the scenario; fleet: measured; record: from the books; assumed: of no source but judgement. */
      "from": "market" | "entered" | "fleet" | "record" | "assumed"
      "name": string
      "source": string
      "unit": string
      "value": number
    }
    PlayBrief: {
      "default": components['schemas']['StressChance']
      "lowest_usd": number
      "ratio_median"?: number | null
      "under_line": components['schemas']['StressChance']
    }
    PlayCompany: {
      "cash_usd"?: number
      /** Free; pledged coins stand with their facility. */
      "coins_btc"?: number
      "facilities"?: (components['schemas']['DebtFacility'])[] | null
      /** Costs that do not stop: people, repair, administration. */
      "fixed_usd_day"?: number
      "groups": (components['schemas']['PlayGroup'])[] | null
      /** What a forced sale takes off. */
      "haircut"?: number | null
      "name"?: string
      /** Other income after its cost. */
      "other_usd_day"?: number
      /** PUE; missing: 1. */
      "overhead"?: number
      /** At the site's meter. */
      "power_usd_mwh": number
      /** Standard deviation of the logarithm of the power price in the long run; missing: a fixed price. */
      "power_vol"?: number
      /** By how many per cent that moves when hashprice moves by one. */
      "rig_beta"?: number | null
      /** By how many per cent it falls when one per cent of the network's machines come to market. */
      "rig_impact"?: number | null
      /** What its machines are worth per TH/s; missing: reckoned from the book of machine prices. */
      "rig_usd_th"?: number | null
      /** Where the figures are from. */
      "source"?: string
      /** Liquidity under which the company is in distress; missing: what falls due in the first 30 days. */
      "thin_usd"?: number
      /** Share of the time that machines hash; missing: 1, where the groups are what is measured. */
      "uptime"?: number
    }
    PlayGroup: {
      "j_per_th": number
      "name"?: string
      "ph": number
    }
    PlayInputBody: {
      "name"?: string
      /** The saved scenario that this is a run of. */
      "of"?: number
      "scenario": components['schemas']['PlayScenario']
    }
    PlayLever: {
      /** measured by Ballast, or assumed by somebody. */
      "evidence": "measured" | "assumed"
      /** Added to fixed costs; negative saves. */
      "fixed_usd_day"?: number
      /** Relative change of efficiency: -0.03 takes 3 % less power. */
      "j_per_th"?: number
      "name": string
      "on": boolean
      /** Relative change of what power costs: -0.05 is 5 % cheaper. */
      "power"?: number
      "source"?: string
      "title"?: string
      /** Added to the share of time that machines hash: 0.02 is two points. */
      "uptime"?: number
    }
    PlayLeverOutcome: {
      "evidence": string
      "name": string
      "on": boolean
      "source": string
      "title": string
      "with": components['schemas']['PlayBrief']
      "without": components['schemas']['PlayBrief']
    }
    PlayMarket: {
      /** Shares of the network's hashrate and their hashcost. */
      "costs"?: (components['schemas']['StressCost'])[] | null
      /** At once: 0.2 is 20 % more difficulty. */
      "difficulty_shock"?: number
      /** Expected growth of the price a year; missing: none, which is no view. */
      "drift"?: number
      /** Of the network's machines a year, logarithmic, at today's hashprice. */
      "growth"?: number | null
      /** Per PH/s and day; missing: the market's. */
      "hashprice_usd"?: number | null
      /** In which two thirds of those who should switch off do. */
      "lag_days"?: number | null
      /** The same for switching on again. */
      "lag_on_days"?: number | null
      /** Of the price of a bitcoin; missing: bootstrap where there is enough past, else garch. */
      "model"?: "bootstrap" | "garch" | "heston" | "gbm"
      /** At once: 0.25 is 25 % dearer power. */
      "power_shock"?: number
      /** At once, on the first day: -0.3 is 30 % down. */
      "price_shock"?: number
      /** Of a bitcoin; missing: the market's. */
      "price_usd"?: number | null
      /** Share of machines that stand still that somebody with cheaper power buys and runs. */
      "resold"?: number | null
      /** By how much that growth rises when the logarithm of hashprice rises by one. */
      "response"?: number | null
      /** How far under its cost a machine goes on, as a share of it. */
      "sunk"?: number | null
      /** Of the price, a year; missing: that of the past. */
      "vol"?: number | null
    }
    PlayOutcome: {
      "assumptions": (components['schemas']['PlayAssumption'])[] | null
      "days": number
      "levers": (components['schemas']['PlayLeverOutcome'])[] | null
      "result": components['schemas']['StressSummary']
      "scenario": components['schemas']['PlayScenario']
      "start": components['schemas']['PlayStart']
    }
    PlayPolicy: {
      /** A line against coins, drawn before coins are sold. */
      "borrow"?: components['schemas']['StressCreditLine']
      /** Share of each day's payments that coins are sold for: 1 covers costs and holds the rest. */
      "cover"?: number
      /** At what hashprice; missing: today's. */
      "fixing_usd"?: number | null
      /** Coins are sold when cash falls under it. */
      "floor_usd"?: number
      /** Share of hashrate whose hashprice is fixed. */
      "forward"?: number
      /** At what multiple of today's power price; missing: 1. */
      "power_fixing"?: number | null
      /** Share of power whose price is fixed. */
      "power_forward"?: number
      /** Share of each day's coins that is sold at once. */
      "sell"?: number
    }
    PlayScenario: {
      "company": components['schemas']['PlayCompany']
      /** Difficulty that far under its peak counts as a crash of the network; missing: -0.2. */
      "fall"?: number
      /** First day; missing: today. */
      "from"?: string
      "levers"?: (components['schemas']['PlayLever'])[] | null
      /** Of the hashrate-debt ratio; missing: 1.5, which is the claim's line. */
      "line"?: number
      "market"?: components['schemas']['PlayMarket']
      /** Missing: 10,000. */
      "paths"?: number
      "policy"?: components['schemas']['PlayPolicy']
      /** The same seed gives the same outcome. Missing: 1. */
      "seed"?: number
      /** A retarget at or under it counts as the network shrinking; missing: -0.05. */
      "shrink"?: number
      /** The date that is asked for; missing: a year on. */
      "to"?: string
    }
    PlayStart: {
      "due_30_usd": number
      "fixed_usd_day": number
      "hashcost_usd": number
      "hashprice_usd": number
      "owed_usd": number
      "ph": number
      "power_usd_day": number
      "ratio"?: number | null
      "revenue_usd_day": number
      "rigs_usd": number
    }
    PoolBody: {
      "blocks": number
      "pool": string
      "share": number
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
      /** Send it back as If-Match with an edit. */
      "version": number
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
    PositionsInputBody: {
      "positions": (components['schemas']['AwardEntry'])[] | null
      /** Only say what would change. */
      "preview"?: boolean
      /** From the preview: refused with 412 when somebody imported meanwhile. Missing: the newest. */
      "seen"?: number
      "site": string
    }
    PowerLine: {
      /** Of the meter's reading. */
      "at"?: string
      /** From the site's layout. */
      "cap_w"?: number
      /** That the meter measures the whole site is taken from its name: no layout says so. */
      "guessed"?: boolean
      /** Machines behind it. */
      "machines": number
      "meter"?: string
      /** Missing when there is no meter, or its reading is too old to act on. */
      "metered_w"?: number
      /** "site", "feeder F1", "pdu P1", or the meter's own name when nothing says what it measures. */
      "of": string
      "quality"?: "good" | "partial" | "stale" | "lost"
      "site": string
      /** Sum of what the machines behind it tell of themselves at the wall. */
      "told_w"?: number
      /** Why the meter gives nothing. */
      "trouble"?: string
      /** Hashing machines behind it that do not tell their power. */
      "unmetered": number
    }
    PreviewBody: {
      /** At or beyond the level now, the worst first; at most 500. */
      "members": (components['schemas']['AlarmMember'])[] | null
      "now": components['schemas']['AlarmRuleState']
    }
    PriceAgainst: {
      /** Hours that both have: these are compared. */
      "both_h": number
      "both_own_mwh": number
      "both_utility_mwh": number
      /** Utility less own. */
      "diff_mwh": number
      /** Of our own; missing when there is nothing to compare. */
      "diff_pct"?: number
      /** Of these, estimates of the utility's. */
      "estimated_h": number
      "month": string
      /** Of the month, as far as it is over. */
      "month_h": number
      /** Of the month that the utility has. */
      "utility_h": number
      /** All that the utility has of the month. */
      "utility_mwh": number
    }
    PriceAwardDay: {
      "day": string
      "hours": (components['schemas']['PriceAwardMW'])[] | null
      /** Hours of the day without an award, not even of zero. */
      "missing_h": number
      "mwh": number
    }
    PriceAwardMW: {
      "from": string
      "mw": number
      "to": string
    }
    PriceBoardBody: {
      "days": number
      "models": (components['schemas']['PriceStanding'])[] | null
      "simulated": boolean
      /** Settled days that a challenger and the champion must share. */
      "trial_days": number
      "working": components['schemas']['PriceWork']
    }
    PriceBrought: {
      /** Intervals of which nothing was known. */
      "added": number
      /** Intervals that are known otherwise: these are revised. */
      "changed": number
      "file": components['schemas']['MeteringFile']
      /** Once it is imported. */
      "import"?: components['schemas']['LedgerSiteImport']
      "kind": "utility-meter" | "award"
      /** Month by month as it would stand, beside the site's own meter. */
      "months": (components['schemas']['PriceAgainst'])[] | null
      /** Of the file. */
      "name": string
      "same": number
      /** The newest import that this looked at; the import takes it. */
      "seen": number
      "site": string
      /** What to look at before importing it. */
      "warnings": (string)[] | null
    }
    PriceCard: {
      /** When it last learnt. */
      "calibrated": string
      "champion": boolean
      "champion_since"?: string
      "champion_why"?: string
      /** Of the past that it was shown. */
      "days": number
      /** Why it has no forecast. */
      "error"?: string
      "horizon": string
      /** Series that it is shown beside the prices. */
      "inputs": (string)[] | null
      /** What it learns from, in words. */
      "learns": string
      "model": string
      /** What was missing, and what stood in for it. */
      "notes": (string)[] | null
      "series": string
      "standing"?: components['schemas']['PriceStanding']
      "took_s": number
    }
    PriceChance: {
      "from": string
      "model"?: string
      "p": number
      "to": string
    }
    PriceDayUse: {
      /** Before rounding. */
      "amount": string
      "day": string
      "estimated_intervals": number
      "intervals": number
      "part": string
      "quantity_mwh": string
      "rate_high": string
      "rate_low": string
      "sources": (string)[] | null
      "what"?: string
    }
    PriceFan: {
      /** Of each slot: nothing later went in. */
      "issued": (string)[] | null
      "levels": (number)[] | null
      "mean": (number)[] | null
      /** Of each slot. */
      "model": (string)[] | null
      /** Of each slot: the forecast was made in hindsight, from what was published before its day. */
      "replayed": (boolean)[] | null
      /** Probability of a price above spike_at; null where it was not forecast. */
      "spike": (number | null)[] | null
      "spike_at": number
      /** Unix seconds at the start of each slot. */
      "times": (number)[] | null
      /** Slot, then level. */
      "values": ((number)[] | null)[] | null
    }
    PriceFeedsResponse: {
      "feeds": (components['schemas']['FeedHealth'])[] | null
      "simulated": boolean
    }
    PriceHead: {
      "contract": number
      "contract_name": string
      "currency": string
      /** Of an issued statement. */
      "id"?: number
      "issued_at"?: string
      "issued_by"?: string
      "metered_mwh"?: string
      "month": string
      "running": boolean
      "status"?: string
      /** Of an issued statement. */
      "total"?: string
    }
    PriceHistoryBody: {
      /** What was and is forecast, one slot an hour. */
      "fan": components['schemas']['PriceFan']
      "from": string
      "interval_s": number
      "series": string
      "simulated": boolean
      "to": string
      "unit": string
      "values": (components['schemas']['SeriesValue'])[] | null
      "zone": string
    }
    PriceHour: {
      /** Of it: forecasts, estimates and probabilities. */
      "expected_per_mwh": number
      "from": string
      /** Of it: published or by the contract. */
      "known_per_mwh": number
      "missing"?: (string)[] | null
      "parts": (components['schemas']['PartNow'])[] | null
      "price_per_mwh": number
      "status": "settled" | "provisional" | "expected" | "estimated" | "missing"
      "to": string
    }
    PriceMarketNow: {
      /** Since it was received. */
      "age_s": number
      "from"?: string
      /** How long the price that should be there is overdue. */
      "late_s": number
      /** This is the newest price that is known, of an earlier interval: the present one is not published yet. */
      "newest": boolean
      /** Missing when there is none and nothing stands in. */
      "price"?: number
      /** By the operator, when it says. */
      "published"?: string
      "received"?: string
      /** 0 is the first value that the operator published. */
      "revision": number
      "series": string
      "status": "settled" | "provisional" | "expected" | "estimated" | "missing"
      "to"?: string
      "unit": string
    }
    PriceMetered: {
      /** Quarters that were measured for less: the contract says what stands in. */
      "lost_intervals": number
      /** By a meter. */
      "measured": boolean
      /** Quarters of an hour of the site's own meters, or machines. */
      "own_intervals": number
      /** Quarters that were measured for half of the time or more, and reckoned up to the whole: estimates. */
      "partly_intervals": number
      /** "utility meter ESI 1044", "meter main", or the machines when there is no meter. */
      "source": string
      /** Quarters of an hour that are the utility's. */
      "utility_intervals": number
      /** Quarters of an hour that were measured from end to end. */
      "whole_intervals": number
    }
    PriceNextBody: {
      "currency": string
      "hours": (components['schemas']['PriceHour'])[] | null
      "site": string
    }
    PriceNow: {
      "contract": number
      "contract_name": string
      "currency": string
      /** What the contract charges then, a sentence a part. */
      "explained": (string)[] | null
      "load_from"?: string
      /** What the site draws; demand charges and blocks depend on it. */
      "load_w"?: number
      /** The market prices behind it. */
      "markets": (components['schemas']['PriceMarketNow'])[] | null
      "price": components['schemas']['TariffBreakdown']
      /** The total, in currency units per MWh. */
      "price_per_mwh": number
      /** The market is a simulation: these are nobody's prices. */
      "simulated": boolean
      "site": string
      /** Of the contract: its clock. */
      "zone": string
    }
    PricePeakRisk: {
      /** For each hour to come: that its highest interval is one. */
      "hours": (components['schemas']['PriceChance'])[] | null
      /** The rule looks at the present month. */
      "in_season": boolean
      /** System load that decides. */
      "series": string
      "set": string
      /** Of the rule in force. */
      "source"?: string
      /** Why there are no chances. */
      "why"?: string
    }
    PriceRisk: {
      "peaks": (components['schemas']['PricePeakRisk'])[] | null
      "site": string
      "spikes": (components['schemas']['PriceSpikeRisk'])[] | null
    }
    PriceSeries: {
      /** Whose forecast of the days counts. */
      "champion"?: string
      /** All of a day is published on the day before. */
      "day_ahead": boolean
      /** Ballast forecasts it. */
      "forecast": boolean
      "interval_s": number
      /** The newest value of an interval that has begun. */
      "latest"?: components['schemas']['SeriesValue']
      "name": string
      "quantity": "price" | "capacity price" | "load"
      "unit": string
      /** Contracts that you may see sites of and that ask for it. */
      "used_by": (string)[] | null
    }
    PriceSite: {
      "now"?: components['schemas']['PriceNow']
      /** Why there is no price: no contract is in force. */
      "problem"?: string
      "site": string
    }
    PriceSpikeRisk: {
      /** In the series' unit. */
      "above": number
      /** For each hour to come that is forecast. */
      "hours": (components['schemas']['PriceChance'])[] | null
      "issued"?: string
      "model"?: string
      /** In any slot of the hour that follows the last settled price. */
      "next_hour"?: number
      "series": string
      "unit": string
    }
    PriceStanding: {
      /** Its forecasts are the ones that count. */
      "champion": boolean
      /** Share of prices between the quantiles of 5 and 95 %. */
      "coverage_90": number
      /** With a scored forecast that was made before the day came: these count when models are compared. */
      "days": number
      /** Scored ones. */
      "forecasts": number
      "horizon": "day" | "next"
      "mae": number
      "model": string
      /** What the others are measured against. */
      "naive": boolean
      /** Of the same hour of the day before, over the same slots. */
      "naive_day_mae": number
      /** Of the last price that was known. */
      "naive_last_mae"?: number
      /** Of the same hour of the week before, over the same slots. */
      "naive_week_mae": number
      /** Mean over the quantiles; half of the CRPS, about. */
      "pinball": number
      /** Forecasts that were made in hindsight. */
      "replayed": number
      /** MAE over that of the day before: below 1 is better than naive. */
      "rmae_day"?: number
      "rmae_last"?: number
      "rmae_week"?: number
      "series": string
      "slots": number
      "unit": string
    }
    PriceTry: {
      /** At which it was reckoned. */
      "load_w": number
      "missing": (string)[] | null
      "parts": (components['schemas']['PartNow'])[] | null
      "price_per_mwh": number
      "status": "settled" | "provisional" | "expected" | "estimated" | "missing"
    }
    PriceWork: {
      "busy": boolean
      "day"?: string
      "model"?: string
      /** When everything was last up to date. */
      "passed"?: string
      "series"?: string
      "since"?: string
    }
    Process: {
      /** Cores in use, over the time since somebody last asked, at least some seconds. */
      "cpu_now"?: number | null
      /** Since the start. */
      "cpu_s"?: number | null
      "cpus": number
      "goroutines": number
      /** Of it, Go's live objects. */
      "heap_bytes": number
      /** Resident. */
      "memory_bytes"?: number | null
      "open_files"?: number | null
      "open_files_limit"?: number | null
      "pid": number
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
    RateLine: {
      "id": number
      "name": string
      "on": string
      "rate": string
      "source": components['schemas']['DeskSource']
    }
    ReceiverInfo: {
      "id": number
      "off": boolean
      /** Names of the secrets that are set. Their values are never told. */
      "secrets": (string)[] | null
      "settings": components['schemas']['NotifySettings']
      "title": string
      /** In lists. Send it back as If-Match with an edit. */
      "version"?: number
    }
    ReceiverWish: {
      "off"?: boolean
      /** Secrets to set, by name: password, key, url or token. Those left out stay; an empty one is removed. */
      "secrets"?: { [key: string]: string }
      "settings": components['schemas']['NotifySettings']
      "title": string
    }
    RecordSize: {
      /** Of the embedded engine; another one's size is its own affair. */
      "bytes"?: number | null
    }
    Refusal: {
      "machine": number
      "why": string
    }
    Register: {
      "currency": string
      "day": string
      /** Nothing was entered yet. */
      "empty": boolean
      /** Says that the company is made up; every page must show it. */
      "example"?: string
      "facilities": (components['schemas']['FacilityRow'])[] | null
      "name": string
      "now": string
      /** What whoever reads the figures must know first. */
      "remarks": (string)[] | null
      /** Of the book; a change names the revision that it was made from. */
      "rev": number
      /** Of what is owed today. */
      "total": components['schemas']['Amount']
    }
    ReportCommandCount: {
      "count": number
      "kind": string
      "state": string
    }
    ReportDaysBody: {
      /** Newest first; days of which nothing is known are not in it. */
      "days": (components['schemas']['ReportHead'])[] | null
      "from": string
      "site": string
      "sum": components['schemas']['ReportSum']
      "title": string
      "to": string
      /** On the site's clocks. */
      "today": string
      "zone": string
    }
    ReportEnergy: {
      /** Of the machines, over the time in which they told both. */
      "efficiency_j_per_th"?: number | null
      /** Who the total is from: the meters when they cover nine tenths of the day, else the machines. */
      "from": "meter" | "machines" | "none"
      "highest_at"?: string
      /** The quarter-hour with the highest mean power, which demand charges look at. */
      "highest_quarter_w"?: number | null
      /** As the machines tell, at the wall; asleep ones that tell nothing are left out. */
      "machines_j"?: number | null
      /** Share of hashing machine time whose power was told. */
      "machines_told": number
      "mean_power_w"?: number | null
      "meter_names"?: (string)[] | null
      /** Share of the day that the meters cover. */
      "meters_coverage": number
      "meters_j"?: number | null
      /** Metered energy over all work: cooling and losses are in it. */
      "site_j_per_th"?: number | null
      "total_j"?: number | null
    }
    ReportFaultKind: {
      /** Of the vendor-neutral taxonomy. */
      "code": number
      "group": string
      "kind": string
      "machine_h": number
      "machines": number
    }
    ReportHead: {
      "coverage": number
      "day": string
      "efficiency_j_per_th"?: number | null
      "energy_from": "meter" | "machines" | "none"
      "energy_j"?: number | null
      "hashrate_ths"?: number | null
      "lost_th_days": number
      "machines": number
      "made_at": string
      "nominal_ths"?: number | null
      "partial": boolean
      "potential"?: number | null
      "uptime"?: number | null
      "work_th_days": number
    }
    ReportHole: {
      "coverage": number
      "from": string
      "to": string
    }
    ReportLoss: {
      "lost_th_days": number
      /** That lost a hundredth of their day or more to it. */
      "machines": number
      "reason": "silent" | "down" | "hot" | "pool" | "degraded" | "starting" | "curtailed" | "unclear"
    }
    ReportMachineDay: {
      "coverage": number
      "efficiency_j_per_th"?: number | null
      "energy_j"?: number | null
      "faults"?: (string)[] | null
      "hashrate_ths"?: number | null
      "id": number
      "lost_th_days": number
      "model": string
      "name": string
      "nominal_ths"?: number | null
      "place": string
      "time": components['schemas']['ReportTimes']
      "uptime"?: number | null
      /** Most first. */
      "why": (components['schemas']['ReportLoss'])[] | null
      "work_th_days": number
    }
    ReportQuarterPoint: {
      "at": string
      "down": number
      /** Machines, as shares of the quarter. */
      "hashing": number
      "hashrate_ths"?: number | null
      "metered_w"?: number | null
      "off": number
      /** As the machines tell. */
      "power_w"?: number | null
      "silent": number
      "starting": number
      "unknown": number
    }
    ReportRackDay: {
      "lost_th_days": number
      "machines": number
      "rack": string
      "why": (components['schemas']['ReportLoss'])[] | null
      "work_th_days": number
    }
    ReportReport: {
      /** Produced beyond nominal by machines that did so. */
      "above_th_days": number
      "commands": (components['schemas']['ReportCommandCount'])[] | null
      /** Share of the expected machine time that polls exist for. */
      "coverage": number
      /** 2026-11-22, in the site's zone. */
      "day": string
      "energy": components['schemas']['ReportEnergy']
      /** By kind, most machine time first. */
      "faults": (components['schemas']['ReportFaultKind'])[] | null
      /** Fault kinds of that day are no longer kept. */
      "faults_unknown": boolean
      "from": string
      /** Mean over the known time. */
      "hashrate_ths"?: number | null
      /** Stretches of which less than nine tenths is known. */
      "holes": (components['schemas']['ReportHole'])[] | null
      /** Length of the whole day: 23 or 25 when clocks change. */
      "hours": number
      /** By reason, most first. */
      "losses": (components['schemas']['ReportLoss'])[] | null
      /** In service at any time of the day. */
      "machines": number
      /** Of these, without a single poll. */
      "machines_unknown": number
      "made_at": string
      /** What the machines in service can do: of each the most that it called nominal in the day, else the last it told, else its nameplate. */
      "nominal_ths"?: number | null
      /** The day is not over. */
      "partial": boolean
      /** Seconds between polls, as configured; estimated from the rows when that is not known. */
      "poll_interval_s": number
      /** Share of the known time's potential that was produced. */
      "potential"?: number | null
      "quarters": (components['schemas']['ReportQuarterPoint'])[] | null
      /** Racks that lost most, at most 30. */
      "racks": (components['schemas']['ReportRackDay'])[] | null
      /** What a reader must know before the numbers. */
      "remarks": (string)[] | null
      /** When the first machine was entered, on a day that began without one: means are from then on. */
      "since"?: string
      "site": string
      "time": components['schemas']['ReportTimes']
      /** The site as people call it. */
      "title": string
      /** Where the report ends: of a day that is not over, when it was made. */
      "to": string
      /** Share of known machine time hashing, without what was off on purpose. */
      "uptime"?: number | null
      /** Produced in the known time. */
      "work_th_days": number
      /** Machines that lost most, at most 50. */
      "worst": (components['schemas']['ReportMachineDay'])[] | null
      "zone": string
    }
    ReportSchedule: {
      /** Time of day on the site's clocks: 07:00. */
      "at": string
      /** pdf, csv. */
      "attach": (string)[] | null
      "enabled": boolean
      "id": number
      /** The last attempt. */
      "last"?: components['schemas']['LedgerReportSend']
      "next"?: string
      "recipients": (string)[] | null
      "site": string
      /** Send it back as If-Match with an edit. */
      "version": number
    }
    ReportSum: {
      "coverage": number
      /** With a report. */
      "days": number
      /** Weighed by work. */
      "efficiency_j_per_th"?: number | null
      "energy_days": number
      /** Of the days that have one; see energy_days. */
      "energy_j"?: number | null
      /** Mean of the days. */
      "hashrate_ths"?: number | null
      /** By reason, most first; machines is the most of any day. */
      "losses": (components['schemas']['ReportLoss'])[] | null
      "lost_th_days": number
      /** Produced over produced and lost. */
      "potential"?: number | null
      /** Weighed by machine time. */
      "uptime"?: number | null
      "work_th_days": number
    }
    ReportTimes: {
      "down_h": number
      /** Of machines in service. */
      "expected_h": number
      "hashing_h": number
      /** Asleep on purpose: no downtime. */
      "off_h": number
      "silent_h": number
      "starting_h": number
      "unclear_h": number
      /** No polls exist. */
      "unknown_h": number
    }
    RetargetBody: {
      "at": string
      "blocks_left": number
      /** Relative: -0.05 is five per cent down. */
      "change": number
      "difficulty": number
      /** Of this epoch, to the newest block. */
      "elapsed_s": number
      "formula": string
      "height": number
      /** Nineteen in twenty outcomes are below. */
      "high": number
      /** Between blocks of this epoch that have passed, of 2015. */
      "intervals": number
      /** Nineteen in twenty outcomes are above. */
      "low": number
    }
    RetargetRow: {
      "at": string
      /** Difficulty under the highest that was known before: -0.2 is a fifth under it. */
      "below_peak": number
      /** Against the epoch before. */
      "change"?: number
      "difficulty": number
      "epoch": number
      "height": number
      /** Missing while it runs. */
      "network_ehs"?: number
    }
    RigLine: {
      "id": number
      "kind": string
      "on": string
      "price": string
      "source": string
      "tier": string
    }
    RigPriceBody: {
      /** 2026-06-30 */
      "day": string
      "kind": "index" | "transaction" | "offer" | "liquidation" | "estimate"
      "source": string
      /** Efficiency: 15-20, <38, ~17.5, all; in J/TH. */
      "tier": string
      "usd_per_th": number
    }
    RigPricesBody: {
      /** With preview, what would be. */
      "entered": (components['schemas']['LedgerRigPrice'])[] | null
      /** What is wrong, line by line; then nothing was entered. */
      "errors": (string)[] | null
    }
    RigPricesInputBody: {
      /** Only say what would be entered and what is wrong. */
      "preview"?: boolean
      "prices"?: (components['schemas']['RigPriceBody'])[] | null
      /** CSV with the columns date, tier_jth, usd_per_th, kind and source. */
      "text"?: string
    }
    RightInfo: {
      "meaning": string
      "right": string
    }
    RoleInfo: {
      "rights": (components['schemas']['RightInfo'])[] | null
      "role": string
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
      "tags"?: (string)[] | null
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
      /** Send it back as If-Match with an edit. */
      "version": number
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
    SaveFacilityInputBody: {
      /** As GET answers it; amounts such as "$1250000.00", rates such as "11.5%", dates 2026-06-30. */
      "facility": unknown
      /** Only work out the schedule. */
      "preview"?: boolean
      /** The revision of the book that this was made from; If-Match goes first. */
      "seen"?: number
    }
    SaveFilterInputBody: {
      "name": string
      /** The part of the page's address that makes the choice. */
      "query": string
      /** For everybody; takes the right to repair. */
      "shared"?: boolean
    }
    SaveScenarioInputBody: {
      "id"?: number
      "name": string
      "scenario": components['schemas']['PlayScenario']
      "version"?: number
    }
    SaveSiteInputBody: {
      "layout": components['schemas']['SiteSite']
      "ranges": (string)[] | null
      "title": string
    }
    SaveTermsInputBody: {
      /** The revision of the book that this was made from; If-Match goes first. */
      "seen"?: number
      /** As GET answers them; what is left out is as Ballast's defaults. */
      "terms": unknown
    }
    SavedFilter: {
      "actor": string
      "id": number
      "name": string
      "owner": number
      "query": string
      /** Everybody sees it. */
      "shared": boolean
      "updated_at": string
    }
    SavedScenario: {
      /** Who changed it last. */
      "actor": string
      "created_at": string
      "id": number
      "name": string
      "scenario": components['schemas']['PlayScenario']
      "updated_at": string
      "version": number
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
    ScenarioRun: {
      "actor": string
      "detail"?: string
      /** Share of the work, 0 to 1. */
      "done": number
      "ended_at"?: string
      "id": number
      "name": string
      /** With the scenario as it was played. */
      "outcome"?: components['schemas']['PlayOutcome']
      /** The saved scenario that it was of. */
      "scenario"?: number
      "started_at": string
      "state": "waiting" | "running" | "done" | "failed" | "cancelled"
    }
    ScheduleInput: {
      "at": string
      /** pdf, csv. */
      "attach"?: (string)[] | null
      "enabled": boolean
      /** E-mail addresses. */
      "recipients": (string)[] | null
      /** Default: the site of this server. */
      "site"?: string
    }
    ScheduleLine: {
      "capitalised": components['schemas']['Amount']
      "cash": components['schemas']['Amount']
      "closing": components['schemas']['Amount']
      "drawn": components['schemas']['Amount']
      "due": string
      "fees": components['schemas']['Amount']
      "from": string
      "in_kind": components['schemas']['Amount']
      "interest": components['schemas']['Amount']
      "opening": components['schemas']['Amount']
      "paid": components['schemas']['Amount']
      "principal": components['schemas']['Amount']
      "rate": string
      "state": "drawn" | "paid" | "part paid" | "overdue" | "to come" | "not recorded"
      "swept": components['schemas']['Amount']
    }
    SchedulesBody: {
      /** A mail server is set up; without one nothing is sent. */
      "mail": boolean
      "schedules": (components['schemas']['ReportSchedule'])[] | null
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
    SeriesValue: {
      "from": string
      "published"?: string
      "received": string
      /** 0 is the first value that was published. */
      "revision": number
      "to": string
      "value": number
    }
    SessionInfo: {
      /** Where it was last seen. */
      "address": string
      /** What the browser says it is. */
      "agent": string
      /** The one that asks. */
      "current": boolean
      /** What the browser says it is, in words. */
      "device": string
      /** When it ends without further use. */
      "expires": string
      "id": number
      /** To the minute. */
      "last_seen": string
      "method": "password" | "passkey" | "oidc" | "link"
      "since": string
    }
    SetUpInputBody: {
      /** To sign in with. A link that resets a password knows whose it is and does not look at it. */
      "name": string
      /** At least 12 characters. */
      "password": string
      /** From the one-time link. */
      "token": string
    }
    SetupLink: {
      "expires": string
      "grants": (components['schemas']['LedgerGrant'])[] | null
      /** Whose password it resets. */
      "name"?: string
      /** Whom it was made for. */
      "note"?: string
      "purpose": "admin" | "invite" | "reset-password"
    }
    SetupLinkRequest: {
      /** From the one-time link. */
      "token": string
    }
    Siblings: {
      /** How far one has to look for at least five others that hash. */
      "among": "rack" | "container" | "building" | "site" | "all"
      /** Empty when there is nothing to compare with. */
      "figures": (components['schemas']['Comparison'])[] | null
      "model": string
      /** Machines compared with, this one left out. */
      "others": number
      /** The rack, container, building or site by name. */
      "where": string
    }
    SignInInputBody: {
      "name": string
      "password": string
    }
    SignInMethods: {
      /** What the provider is called on the button; empty: there is none. */
      "oidc"?: string
      "passkeys": boolean
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
    StatementBody: {
      /** The month is over and its statement was not issued. */
      "can_issue": boolean
      "contract": number
      /** What each energy line took on each day; empty unless days=true. */
      "days": (components['schemas']['PriceDayUse'])[] | null
      /** One for each line: quantity x rate x factor = amount. */
      "formulas": (string)[] | null
      /** Of an issued one. */
      "id"?: number
      "issued_at"?: string
      "issued_by"?: string
      "made_at": string
      "meter": components['schemas']['PriceMetered']
      /** Of an issued one: settled anew today it would come to another amount. The difference goes on the next statement. */
      "revised"?: boolean
      /** Of the contract's text that it is settled by. */
      "revision": number
      /** The month is not over: energy to come is taken to be as the month's so far, prices to come are forecasts. */
      "running": boolean
      "simulated": boolean
      "site": string
      "statement": components['schemas']['TariffStatement']
      /** Of the site. */
      "title": string
      /** Of a running month: metered and priced up to here. */
      "until"?: string
      /** Of the contract: its months and days. */
      "zone": string
    }
    StatementsBody: {
      "months": (components['schemas']['PriceHead'])[] | null
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
    StressChance: {
      "error": number
      "n": number
      "p": number
    }
    StressCost: {
      "hashcost_usd": number
      "share": number
    }
    StressCreditLine: {
      "call_ltv": number
      "cure_days": number
      "initial_ltv": number
      "liquidation_ltv": number
      "most_usd": number
      "rate": number
    }
    StressMark: {
      "day": number
      "default": components['schemas']['StressChance']
      "hashprice": (components['schemas']['StressQuantile'])[] | null
      "liquid": (components['schemas']['StressQuantile'])[] | null
      "ratio": (components['schemas']['StressQuantile'])[] | null
      "under_line": components['schemas']['StressChance']
    }
    StressQuantile: {
      "at": number
      "error": number
      "value": number
    }
    StressSummary: {
      "both": components['schemas']['StressChance']
      "called": components['schemas']['StressChance']
      "default": components['schemas']['StressChance']
      "distress": components['schemas']['StressChance']
      "falls": components['schemas']['StressChance']
      "fan": (components['schemas']['StressMark'])[] | null
      "hashprice": (components['schemas']['StressQuantile'])[] | null
      "lowest": (components['schemas']['StressQuantile'])[] | null
      "mean_ratio": number
      "price": (components['schemas']['StressQuantile'])[] | null
      "ratio": (components['schemas']['StressQuantile'])[] | null
      "recovery": (components['schemas']['StressQuantile'])[] | null
      "shrinks": components['schemas']['StressChance']
      "to_default": (components['schemas']['StressQuantile'])[] | null
      "to_distress": (components['schemas']['StressQuantile'])[] | null
      "under_line": components['schemas']['StressChance']
    }
    System: {
      /** Rows by the time from their reply to the disk, since the start. */
      "ages": (components['schemas']['TelemetryAge'])[] | null
      "disk": components['schemas']['Disk']
      "history": components['schemas']['TelemetryStats']
      /** Streams that are open. */
      "live_listeners": number
      "now": string
      "open_commands": number
      /** Meters, controllers and PDUs: how good their newest readings are. */
      "plant": (components['schemas']['PlantHealth'])[] | null
      "poll_interval_s": number
      "polls": components['schemas']['FleetPollStats']
      "process": components['schemas']['Process']
      "record": components['schemas']['RecordSize']
      "scan": components['schemas']['FleetScanState']
      "started": string
      /** From reply to disk. */
      "storing": components['schemas']['TelemetryBatcherStats']
      /** Warnings and errors of the last day, newest first. */
      "troubles": (components['schemas']['Trouble'])[] | null
      "version": components['schemas']['Versions']
    }
    TariffBreakdown: {
      "components": (components['schemas']['TariffComponent'])[] | null
      "expected": string
      "from": string
      "known": string
      "missing"?: (string)[] | null
      "status": string
      "to": string
      "total": string
    }
    TariffComponent: {
      "kind": string
      "note"?: string
      "part": string
      "price": string
      "published"?: string
      "received"?: string
      "source": string
      "status": string
    }
    TariffDetail: {
      "amount": string
      "part": string
      "quantity_mwh": string
      "rate": string
      "source": string
      "start": string
      "status": string
      "what"?: string
    }
    TariffLine: {
      "amount": string
      "averaged"?: boolean
      "corrects"?: string
      "estimated_intervals"?: number
      "factor"?: string
      "from": string
      "intervals"?: number
      "kind": string
      "note"?: string
      "part": string
      "quantity": string
      "rate": string
      "source": string
      "status": string
      "to": string
      "unit": string
      "unpriced_mwh"?: string
      "unrounded": string
      "what": string
    }
    TariffPastDemand: {
      "at": string
      "demand_w": number
      "month": string
      "part": string
      "status": string
    }
    TariffStatement: {
      "contract": string
      "currency": string
      "demands"?: (components['schemas']['TariffPastDemand'])[] | null
      "detail"?: (components['schemas']['TariffDetail'])[] | null
      "estimated"?: (string)[] | null
      "from": string
      "hours": string
      "lines": (components['schemas']['TariffLine'])[] | null
      "metered_mwh": string
      "month": string
      "problems"?: (string)[] | null
      "rounding": string
      "status": string
      "to": string
      "total": string
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
    TestPasswordInputBody: {
      /** A password that is kept, */
      "id"?: number
      "machine": number
      /** or one that is not kept yet. */
      "password"?: string
      "user"?: string
    }
    Trouble: {
      "count": number
      /** Of the last time; secrets are left out. */
      "detail"?: string
      "first": string
      "last": string
      "level": "WARN" | "ERROR"
      "what": string
    }
    Versions: {
      "ballast": string
      "go": string
      "history_engine": string
      "record_engine": string
      "revision"?: string
      "system": string
    }
    WallQuarter: {
      /** Cash by facility. */
      "by": { [key: string]: components['schemas']['Amount'] }
      "cash": components['schemas']['Amount']
      "fees": components['schemas']['Amount']
      /** First day. */
      "from": string
      "interest": components['schemas']['Amount']
      "principal": components['schemas']['Amount']
      "to": string
    }
    Week: {
      "closing": components['schemas']['Amount']
      /** Free bitcoin at the end of the week. */
      "coins": components['schemas']['Amount']
      "from": string
      "mined": components['schemas']['Amount']
      "opening": components['schemas']['Amount']
      "payments": components['schemas']['Amount']
      "receipts": components['schemas']['Amount']
      "short_of_floor": components['schemas']['Amount']
      "sold": components['schemas']['Amount']
      "to": string
    }
    WeekLine: {
      /** Week by week, positive whichever way the money goes. */
      "amounts": (components['schemas']['Amount'])[] | null
      "line": string
      "receipt": boolean
      "total": components['schemas']['Amount']
    }
    WeighBody: {
      /** Index of the one with the most net value; -1 when none is worth its cost. */
      "best": number
      "formula": string
      "hashprice": components['schemas']['MarketNumber']
      /** As they were asked for. */
      "options": (components['schemas']['WeighedOption'])[] | null
    }
    WeighInputBody: {
      /** Growth of hashprice a year, logarithmic: -0.3 is what growing difficulty does to it at a flat price. */
      "drift": number
      /** Missing: the market's. */
      "hashprice_usd"?: number
      "options": (components['schemas']['HardwareOption'])[] | null
      /** PUE; missing: 1. */
      "overhead"?: number
      "power_usd_mwh": number
      /** Of discount, a year; missing: 0.12. */
      "rate"?: number
      /** Of hashprice, a year; missing: 0.6. */
      "vol"?: number
    }
    WeighedOption: {
      "hashcost_usd": number
      /** The same without volatility. */
      "intrinsic_usd_th": number
      "irr"?: number
      "j_per_th": number
      /** Days of life that it has then. */
      "life_days": number
      /** Cash over cost, not discounted; missing where it costs nothing. */
      "moic"?: number
      "name": string
      /** Option value less cost: the best option has the most. */
      "net_usd_th": number
      "npv_usd_th": number
      /** Value of the right to hash, or not, on each day of its life. */
      "option_usd_th": number
      /** Until the cash has come back; missing: not within its life. */
      "payback_days"?: number
      /** At the end of its life. */
      "resale_usd_th"?: number
      /** Missing: 0.95. */
      "uptime"?: number
      /** What it costs now per TH/s: the price of new machines landed and installed, or of the repair; 0 to keep running. */
      "usd_per_th": number
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
      /** Send it back as If-Match with an edit. */
      "version": number
      "zone": string
    }
  }
}
