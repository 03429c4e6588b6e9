/** What a machine is defined by: where it starts, and for every state the events that lead out of it. */
export interface MachineDefinition<State extends string, Event extends string> {
  readonly initial: State;
  readonly transitions: Readonly<Record<State, Readonly<Partial<Record<Event, State>>>>>;
}

/** A checked transition table. It performs nothing: the conditional UPDATE that moves a row names what it leaves. */
export interface StateMachine<State extends string, Event extends string> {
  readonly name: string;
  readonly initial: State;
  /** Every state, in the order of its definition. */
  readonly states: readonly State[];
  /** The states that no event leaves. */
  readonly terminal: readonly State[];
  /** Where `event` leads from `state`, or null when it may not happen there. */
  next(state: State, event: Event): State | null;
  /** The states that `event` may leave: the `WHERE status = ANY (…)` of the UPDATE that performs it. */
  from(event: Event): State[];
}

/**
 * Defines a state machine and checks it once, when its file is loaded: the initial state and every target are known,
 * and every state can be reached from the initial one. Throws one Error that lists all that is wrong.
 */
export function defineMachine<State extends string, Event extends string>(
  name: string,
  definition: MachineDefinition<State, Event>,
): StateMachine<State, Event> {
  const { initial } = definition;
  const states = Object.keys(definition.transitions) as State[];
  // Maps, so that a name from outside such as "constructor" finds nothing.
  const table = new Map(
    states.map((state) => [
      state,
      new Map(Object.entries(definition.transitions[state]) as [Event, State][]),
    ]),
  );

  const problems = problemsOf(initial, table);
  if (problems.length > 0) throw new Error(`state machine "${name}": ${problems.join('; ')}`);

  return Object.freeze({
    name,
    initial,
    states: Object.freeze([...states]),
    terminal: Object.freeze(states.filter((state) => table.get(state)?.size === 0)),
    next: (state: State, event: Event) => table.get(state)?.get(event) ?? null,
    from: (event: Event) => states.filter((state) => table.get(state)?.has(event)),
  });
}

function problemsOf(initial: string, table: ReadonlyMap<string, ReadonlyMap<string, string>>): string[] {
  const problems: string[] = [];
  if (!table.has(initial)) problems.push(`the initial state "${initial}" is unknown`);
  for (const [state, events] of table) {
    for (const [event, target] of events) {
      if (!table.has(target))
        problems.push(`"${state}" on "${event}" leads to the unknown state "${target}"`);
    }
  }
  const reached = new Set([initial]);
  for (const state of reached) {
    for (const target of table.get(state)?.values() ?? []) reached.add(target);
  }
  for (const state of table.keys()) {
    if (!reached.has(state)) problems.push(`"${state}" cannot be reached from "${initial}"`);
  }
  return problems;
}
