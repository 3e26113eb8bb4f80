/** Azure's regions, as many as the sandbox has, by the names that people read. */
export const locations: readonly string[] = ['West Europe', 'North Europe', 'West US', 'East US']

/** `West Europe` and `westeurope` are one location. */
export const plainLocation = (location: string): string => location.replaceAll(' ', '').toLowerCase()
