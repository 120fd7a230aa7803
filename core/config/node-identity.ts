/** Which `on` blocks of hast.conf are meant for this node (core/spec/config.md section 4). */
export type NodeIdentity =
  /** What the host is called; null where the system has no such thing. */
  | {
      readonly kind: 'host';
      readonly hostname: string;
      readonly hostuuid: string | null;
      /** Unsigned. */
      readonly hostid: number | null;
    }
  /** `--node NAME`: only blocks labelled so. */
  | { readonly kind: 'named'; readonly name: string };

export function isThisNode(label: string, identity: NodeIdentity): boolean {
  if (identity.kind === 'named') return label === identity.name;
  const { hostname, hostuuid, hostid } = identity;
  return (
    label === hostname ||
    label === shortName(hostname) ||
    label.toLowerCase() === hostuuid?.toLowerCase() ||
    (hostid !== null && label === `hostid${hostid}`)
  );
}

/** Labels that would have matched, as the reference lists them in its error. */
export function acceptableNames(identity: NodeIdentity): string {
  if (identity.kind === 'named') return identity.name;
  const { hostname, hostuuid, hostid } = identity;
  const names = hostname.includes('.') ? [shortName(hostname), hostname] : [hostname];
  if (hostuuid !== null) names.push(hostuuid);
  if (hostid !== null) names.push(`hostid${hostid}`);
  return names.join(', ');
}

function shortName(hostname: string): string {
  return hostname.split('.', 1)[0] ?? hostname;
}
