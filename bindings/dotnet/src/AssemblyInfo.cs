using System.Reflection;
using System.Runtime.CompilerServices;

[assembly: AssemblyTitle("Ssmtp")]
[assembly: AssemblyVersion("0.1.0.0")]
[assembly: InternalsVisibleTo("ssmtp-tests")]
