// Event Grid tells the bot what is written and deleted on SignalRs and vaults of this Azure subscription: docs/azure-events.md.
targetScope = 'subscription'

@description('https://<host>/api/azure-events. The bot has to run: it is asked whether it wants the events.')
param endpoint string

@description('The tenant in which the application is registered.')
param tenant string

@description('EVENT_GRID_APP_ID, the application that stands for the endpoint.')
param application string

resource events 'Microsoft.EventGrid/eventSubscriptions@2022-06-15' = {
  name: 'vaultlink'
  properties: {
    destination: {
      endpointType: 'WebHook'
      properties: {
        endpointUrl: endpoint
        azureActiveDirectoryTenantId: tenant
        azureActiveDirectoryApplicationIdOrUri: application
      }
    }
    eventDeliverySchema: 'EventGridSchema'
    filter: {
      includedEventTypes: [
        'Microsoft.Resources.ResourceWriteSuccess'
        'Microsoft.Resources.ResourceDeleteSuccess'
      ]
      advancedFilters: [
        {
          operatorType: 'StringIn'
          key: 'data.resourceProvider'
          values: [
            'Microsoft.KeyVault'
            'Microsoft.SignalRService'
          ]
        }
      ]
    }
    // A hint that is a day old is none: the bot has looked by then.
    retryPolicy: {
      eventTimeToLiveInMinutes: 1440
      maxDeliveryAttempts: 30
    }
  }
}
