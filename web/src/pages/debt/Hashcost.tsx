export function HashcostPage() { return null }
