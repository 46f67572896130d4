export function CovenantsPage() { return null }
