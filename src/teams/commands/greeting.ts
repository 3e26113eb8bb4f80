/** A greeting gets what the bot can do, as help does; people say it first and expect more than a greeting. */
const greetings =
  /^(hi|hello|hey|hiya|howdy|hallo|hej|hola|salut|bonjour|moin|servus|ciao|good (morning|afternoon|evening)|guten (tag|morgen|abend))( there| all| team| vaultlink)*[\s!.,👋🙂😀]*$/iu

export const isGreeting = (text: string): boolean => greetings.test(text)
