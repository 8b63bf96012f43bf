namespace Ssmtp
{
    public sealed partial class Ssmtp
    {
        private Firewall firewall;

        /// <summary>
        /// The proxy between us and the server. Fields of the object that is read here can be set at once; setting the property
        /// copies all fields, null puts them back to their defaults.
        /// </summary>
        public Firewall Firewall
        {
            get { return firewall ?? (firewall = new Firewall(this)); }
            set { Firewall.CopyFrom(value ?? new Firewall()); }
        }
    }

    /// <summary>Proxy settings: those of a component, or free ones to be given to a component.</summary>
    public sealed class Firewall
    {
        private readonly Ssmtp owner;
        private bool autoDetect;
        private FirewallTypes firewallType;
        private string host = "";
        private string password = "";
        private int port;
        private string user = "";

        /// <summary>Free settings with their defaults.</summary>
        public Firewall()
        {
        }

        internal Firewall(Ssmtp owner)
        {
            this.owner = owner;
        }

        /// <summary>Whether the proxy that the system's environment names is used.</summary>
        public bool AutoDetect
        {
            get { return owner == null ? autoDetect : owner.Get("FirewallAutoDetect") == "True"; }
            set { Write(ref autoDetect, value, value ? "True" : "False", "FirewallAutoDetect"); }
        }

        /// <summary>Kind of proxy. Setting it also sets <see cref="Port"/>: 80 for a tunnel, 1080 for the SOCKS kinds.</summary>
        public FirewallTypes FirewallType
        {
            get { return owner == null ? firewallType : (FirewallTypes)Number("FirewallType"); }
            set
            {
                Write(ref firewallType, value, ((int)value).ToString(), "FirewallType");
                if (owner == null)
                {
                    port = value == FirewallTypes.fwNone ? 0 : value == FirewallTypes.fwTunnel ? 80 : 1080;
                }
            }
        }

        /// <summary>Name or address of the proxy; while connected it reads as the address that was reached.</summary>
        public string Host
        {
            get { return owner == null ? host : owner.Get("FirewallHost"); }
            set { Write(ref host, value ?? "", value, "FirewallHost"); }
        }

        /// <summary>Password for a proxy that asks for one.</summary>
        public string Password
        {
            get { return owner == null ? password : owner.Get("FirewallPassword"); }
            set { Write(ref password, value ?? "", value, "FirewallPassword"); }
        }

        /// <summary>TCP port of the proxy.</summary>
        public int Port
        {
            get { return owner == null ? port : Number("FirewallPort"); }
            set { Write(ref port, value, value.ToString(), "FirewallPort"); }
        }

        /// <summary>User name for a proxy that asks for one.</summary>
        public string User
        {
            get { return owner == null ? user : owner.Get("FirewallUser"); }
            set { Write(ref user, value ?? "", value, "FirewallUser"); }
        }

        /// <summary>The kind goes first: it also sets the port.</summary>
        internal void CopyFrom(Firewall other)
        {
            AutoDetect = other.AutoDetect;
            int itsPort = other.Port;
            FirewallType = other.FirewallType;
            Port = itsPort;
            Host = other.Host;
            User = other.User;
            Password = other.Password;
        }

        private int Number(string name)
        {
            return int.Parse(owner.Get(name), System.Globalization.CultureInfo.InvariantCulture);
        }

        private void Write<T>(ref T field, T value, string text, string name)
        {
            if (owner == null)
            {
                field = value;
            }
            else
            {
                owner.Set(name, text);
            }
        }
    }
}
